package etcdtest_test

import (
	"testing"
	"time"

	"etcdlua/etcdapi"
	"etcdlua/etcdapi/etcdtest"
)

func TestMain(m *testing.M) { etcdtest.Main(m) }

func TestProxy(t *testing.T) {
	server := etcdtest.Start(t)
	proxy := etcdtest.NewProxy(t, server.Endpoint())
	c := etcdtest.Connect(t, etcdapi.Config{Endpoints: []string{proxy.Endpoint()}})
	put := func(within time.Duration) error {
		_, err := c.Put(etcdtest.Context(t), "k", "v", etcdapi.PutOptions{Timeout: within})
		return err
	}
	for range 3 {
		if err := put(0); err != nil {
			t.Fatal(err)
		}
		proxy.Stall()
		if err := put(20 * time.Millisecond); etcdapi.CodeOf(err) != etcdapi.CodeTimeout {
			t.Errorf("stalled: %v", err)
		}
		proxy.Heal()
		if err := put(0); err != nil {
			t.Errorf("healed after a stall, on the same connection: %v", err)
		}
		proxy.Stall()
		proxy.Cut()
		etcdtest.Eventually(t, "no connection", func() bool {
			return etcdapi.CodeOf(put(100*time.Millisecond)) == etcdapi.CodeUnavailable
		})
		proxy.Heal()
		etcdtest.Eventually(t, "a connection", func() bool { return put(0) == nil })
	}
}

func TestPrefix(t *testing.T) {
	if a, b := etcdtest.Prefix(t), etcdtest.Prefix(t); a == b {
		t.Errorf("twice %s", a)
	}
}
