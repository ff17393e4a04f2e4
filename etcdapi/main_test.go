package etcdapi_test

import (
	"testing"

	"etcdlua/etcdapi/etcdtest"
)

func TestMain(m *testing.M) { etcdtest.Main(m) }
