package etcdapi_test

import (
	"context"
	"fmt"
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"etcdlua/etcdapi"
	"etcdlua/etcdapi/etcdtest"
)

func TestWatchCloseInEachState(t *testing.T) {
	server := etcdtest.Start(t)
	proxy := etcdtest.NewProxy(t, server.Endpoint())
	c := etcdtest.Connect(t, etcdapi.Config{Endpoints: []string{proxy.Endpoint()}})
	p := etcdtest.Prefix(t)
	queryKeys(t, c, p, 2500, 10)
	for name, state := range map[string]func(*etcdapi.Watch){
		"new": func(*etcdapi.Watch) {},
		"listing": func(w *etcdapi.Watch) {
			if b, err := w.Next(etcdtest.Context(t)); err != nil || b.Synced {
				t.Fatal(b, err)
			}
		},
		"paused": func(w *etcdapi.Watch) {
			queryKeys(t, c, p, 300, 10)
			eventually(t, func() bool { _, _, paused := w.Backlog(); return paused })
		},
		"disconnected": func(*etcdapi.Watch) { proxy.Cut() },
	} {
		t.Run(name, func(t *testing.T) {
			defer proxy.Heal()
			w := startWatch(t, c, etcdapi.WatchOptions{Prefixes: prefixesOf(p, "/y"), Initial: name == "listing", MaxBacklogEvents: 50})
			state(w)
			w.Close()
			w.Close()
			if _, err := w.Next(etcdtest.Context(t)); etcdapi.CodeOf(err) != etcdapi.CodeClosed {
				t.Error(err)
			}
			if n := c.Streams(); n != 0 {
				t.Errorf("%d streams stay", n)
			}
			// Close waits until its goroutine says that it ends; its stack is there a moment longer.
			eventually(t, func() bool { return !strings.Contains(allStacks(), "etcdapi.(*stream)") })
		})
	}
	t.Run("waiting", func(t *testing.T) {
		w := startWatch(t, c, etcdapi.WatchOptions{Prefixes: prefixesOf(p)})
		waited := make(chan error, 1)
		go func() {
			_, err := w.Next(context.Background())
			waited <- err
		}()
		w.Close()
		if err := <-waited; etcdapi.CodeOf(err) != etcdapi.CodeClosed {
			t.Error(err)
		}
	})
}

func allStacks() string {
	b := make([]byte, 1<<20)
	return string(b[:goruntime.Stack(b, true)])
}

func TestWatchContexts(t *testing.T) {
	server := etcdtest.Start(t)
	proxy := etcdtest.NewProxy(t, server.Endpoint())
	c := etcdtest.Connect(t, etcdapi.Config{Endpoints: []string{proxy.Endpoint()}, CommandTimeout: 300 * time.Millisecond})
	p := etcdtest.Prefix(t)
	making, cancel := context.WithCancel(etcdtest.Context(t))
	w, err := c.Watch(making, etcdapi.WatchOptions{Prefixes: prefixesOf(p)})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	cancel() // bounded the making only
	if _, err := w.Next(making); etcdapi.CodeOf(err) != etcdapi.CodeCancelled {
		t.Error("a cancelled wait:", err)
	}
	put(t, c, p+"k", "")
	readEvents(t, w, 1)
	if _, err := c.Watch(making, etcdapi.WatchOptions{Prefixes: prefixesOf(p)}); etcdapi.CodeOf(err) != etcdapi.CodeCancelled {
		t.Error("a cancelled making:", err)
	}
	proxy.Cut()
	_, err = c.Watch(context.Background(), etcdapi.WatchOptions{Prefixes: prefixesOf(p)})
	if code := etcdapi.CodeOf(err); code != etcdapi.CodeUnavailable && code != etcdapi.CodeTimeout {
		t.Error("no etcd there:", err)
	}
	if n := c.Streams(); n != 1 {
		t.Errorf("%d streams, want the first one's", n)
	}
}

func TestWatchEndsWithItsClient(t *testing.T) {
	c := etcdtest.Client(t)
	w := startWatch(t, c, etcdapi.WatchOptions{Prefixes: prefixesOf("/a")})
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Next(etcdtest.Context(t)); etcdapi.CodeOf(err) != etcdapi.CodeClosed {
		t.Error(err)
	}
	if _, err := c.Watch(etcdtest.Context(t), etcdapi.WatchOptions{Prefixes: prefixesOf("/a")}); err == nil {
		t.Error("a watch of a closed client")
	}
}

func TestWatchesShareStreamsPastSixtyFour(t *testing.T) {
	c := etcdtest.Client(t)
	p := etcdtest.Prefix(t)
	var all []*etcdapi.Watch
	for i := range 64 + 64 + 2 {
		all = append(all, startWatch(t, c, etcdapi.WatchOptions{Prefixes: prefixesOf(fmt.Sprint(p, i, "/")), MaxBacklogEvents: 10}))
	}
	if n := c.Streams(); n != 64+2 {
		t.Errorf("%d streams", n)
	}
	slow := all[100]
	for range 5 { // one of those that share a stream falls behind: the others do not notice
		queryKeys(t, c, fmt.Sprint(p, 100, "/"), 20, 5)
	}
	eventually(t, func() bool { _, _, paused := slow.Backlog(); return paused })
	for i, w := range all {
		if w == slow {
			continue
		}
		key := fmt.Sprint(p, i, "/k")
		put(t, c, key, "")
		if evs := readEvents(t, w, 1); string(evs[0].KV.Key) != key {
			t.Fatalf("%s instead of %s", evs[0].KV.Key, key)
		}
	}
	readEvents(t, slow, 100)
	for i, w := range all {
		w.Close()
		if i == 127 { // the last two have a stream to themselves
			put(t, c, fmt.Sprint(p, 129, "/k"), "")
			readEvents(t, all[129], 1)
		}
	}
	if n := c.Streams(); n != 0 {
		t.Errorf("%d streams stay", n)
	}
}

func TestWatchPermissions(t *testing.T) {
	server := etcdtest.Start(t)
	root := etcdtest.Connect(t, etcdapi.Config{Endpoints: []string{server.Endpoint()}})
	ctx := etcdtest.Context(t)
	auth := root.Clientv3().Auth
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(auth.UserAdd(ctx, "root", "r"))
	must(auth.UserGrantRole(ctx, "root", "root"))
	must(auth.RoleAdd(ctx, "reader"))
	must(auth.RoleGrantPermission(ctx, "reader", "/mine/", "/mine0", clientv3.PermissionType(clientv3.PermReadWrite)))
	must(auth.UserAdd(ctx, "alice", "a"))
	must(auth.UserGrantRole(ctx, "alice", "reader"))
	must(auth.AuthEnable(ctx))
	admin := etcdtest.Connect(t, etcdapi.Config{Endpoints: []string{server.Endpoint()}, User: "root:r"})
	proxy := etcdtest.NewProxy(t, server.Endpoint())
	alice := etcdtest.Connect(t, etcdapi.Config{Endpoints: []string{proxy.Endpoint()}, User: "alice:a"})

	if _, err := alice.Watch(ctx, etcdapi.WatchOptions{Prefixes: prefixesOf("/mine/", "/yours/")}); etcdapi.CodeOf(err) != etcdapi.CodePermissionDenied {
		t.Error("a foreign prefix:", err)
	}
	w := startWatch(t, alice, etcdapi.WatchOptions{Prefixes: prefixesOf("/mine/"), MaxBacklogEvents: 20})
	for range 100 {
		put(t, admin, "/mine/k", "")
	}
	eventually(t, func() bool { _, _, paused := w.Backlog(); return paused })
	must(admin.Clientv3().Auth.UserChangePassword(ctx, "alice", "a")) // the stream's token is void when the watch goes on
	readEvents(t, w, 100)
	must(admin.Clientv3().Auth.UserChangePassword(ctx, "alice", "a"))
	proxy.Cut()
	proxy.Heal()
	put(t, admin, "/mine/k", "with a fresh token")
	readEvents(t, w, 1)
	must(admin.Clientv3().Auth.UserRevokeRole(ctx, "alice", "reader"))
	proxy.Cut()
	proxy.Heal()
	if _, err := w.Next(ctx); etcdapi.CodeOf(err) != etcdapi.CodePermissionDenied {
		t.Error("permission taken away:", err)
	}
}
