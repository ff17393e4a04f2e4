package etcd

import (
	"bytes"
	"context"
	"log/slog"
	"testing"

	"go.uber.org/goleak"

	"etcdlua/etcdapi/etcdtest"
	"etcdlua/runtime"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// run runs a script with the module on an embedded etcd; P is a prefix of its own.
func run(t *testing.T, src string) (out string, err error) {
	t.Helper()
	s, err := runtime.Compile("t.lua", "", []byte("local P = "+quote(etcdtest.Prefix(t))+" "+src))
	if err != nil {
		t.Fatal(err)
	}
	c := etcdtest.Client(t)
	var stdout, log bytes.Buffer
	h := runtime.New(runtime.Options{
		Stdout: &stdout, Log: slog.New(slog.NewTextHandler(&log, nil)), Modules: []runtime.Module{Module(c)},
	})
	defer h.Close()
	err = h.Run(context.Background(), s)
	if t.Failed() || err != nil {
		t.Logf("log: %s", log.String())
	}
	return stdout.String(), err
}

func mustRun(t *testing.T, src string) string {
	t.Helper()
	out, err := run(t, src)
	if err != nil {
		t.Fatalf("%v\n%s\noutput: %s", err, runtime.Traceback(err), out)
	}
	return out
}

func TestSmoke(t *testing.T) {
	out := mustRun(t, `
		assert(etcd.get(P.."x") == nil)
		local r1 = etcd.set(P.."x", "1")
		local r2 = etcd.set(P.."y", 2)
		assert(r2 == r1 + 1)
		assert(etcd.get(P.."x") == "1" and tonumber(etcd.get(P.."y")) == 2)
		local n = 0
		for k, v, kv in etcd.prefix(P) do n = n + 1; assert(kv.key == k and kv.value == v and kv.version == 1) end
		assert(n == 2)
		assert(etcd.prefix(P):count() == 2)
		local got = task.channel(10)
		local w = etcd.watch(P, function(k, v, e) got:send({k, v, e}) end)
		etcd.set(P.."z", "zz")
		etcd.delete(P.."z")
		local a, b = got:recv(), got:recv()
		assert(a[1] == P.."z" and a[2] == "zz" and a[3].type == "put")
		assert(b[2] == nil and b[3].type == "delete")
		w:cancel()
		w:wait()
		print(etcd.status().version)
		local ok, err = pcall(etcd.get, "")
		print(err.code, err)
		print(pcall(etcd.get, "a", {revison = 1}))
	`)
	t.Log(out)
}
