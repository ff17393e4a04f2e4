package etcdapi_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"etcdlua/etcdapi"
	"etcdlua/etcdapi/embedded"
	"etcdlua/etcdapi/etcdtest"
)

// putNumbers writes n puts with the values 0, 1, 2, … and a revision of two intervals every tenth time.
func putNumbers(c *etcdapi.Client, prefix string, n int) error {
	for i := range n {
		ops := []clientv3.Op{clientv3.OpPut(fmt.Sprint(prefix, "a/", i%7), fmt.Sprint(i))}
		if i%10 == 0 {
			ops = append(ops, clientv3.OpPut(fmt.Sprint(prefix, "b/", i%7), fmt.Sprint(i)))
		}
		if _, err := c.Clientv3().Txn(context.Background()).Then(ops...).Commit(); err != nil {
			return err
		}
	}
	return nil
}

// checkNumbers fails unless the events of each interval are the values of putNumbers, each once, in order.
func checkNumbers(t *testing.T, events []etcdapi.Event, prefix string, n int) {
	t.Helper()
	next := map[string]int{}
	for _, ev := range events {
		interval := string(ev.KV.Key[len(prefix)])
		if got := string(ev.KV.Value); got != fmt.Sprint(next[interval]) {
			t.Fatalf("%s: %s instead of %d", interval, got, next[interval])
		}
		next[interval] += map[string]int{"a": 1, "b": 10}[interval]
	}
	if next["a"] != n || len(next) > 1 && next["b"] != n {
		t.Fatal(next)
	}
}

func TestWatchIsResumedAfterACut(t *testing.T) {
	server := etcdtest.Start(t)
	writer := etcdtest.Connect(t, etcdapi.Config{Endpoints: []string{server.Endpoint()}})
	for _, intervals := range []int{1, 2} {
		t.Run(fmt.Sprint(intervals), func(t *testing.T) {
			proxy := etcdtest.NewProxy(t, server.Endpoint())
			c := etcdtest.Connect(t, etcdapi.Config{Endpoints: []string{proxy.Endpoint()}})
			p := etcdtest.Prefix(t)
			w := startWatch(t, c, etcdapi.WatchOptions{Prefixes: prefixesOf(p+"a/", p+"b/")[:intervals]})
			const n = 3000
			written := make(chan error, 1)
			go func() { written <- putNumbers(writer, p, n) }()
			want := []int{n, n + n/10}[intervals-1]
			var evs []etcdapi.Event
			for cuts := 0; len(evs) < want; {
				b, err := w.Next(etcdtest.Context(t))
				if err != nil {
					t.Fatal(err)
				}
				evs = append(evs, b.Events...)
				if len(evs) > cuts*n/10 {
					cuts++
					proxy.Cut()
					proxy.Heal()
				}
			}
			checkNumbers(t, evs, p, n)
			if err := <-written; err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestWatchIsResumedAfterARestart(t *testing.T) {
	o := embedded.Options{DataDir: t.TempDir(), Logger: etcdtest.Logger(t)}
	server, err := embedded.Start(etcdtest.Context(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	o.Listen = strings.TrimPrefix(server.Endpoint(), "http://")
	c := etcdtest.Connect(t, etcdapi.Config{Endpoints: []string{server.Endpoint()}})
	p := etcdtest.Prefix(t)
	w := startWatch(t, c, etcdapi.WatchOptions{Prefixes: prefixesOf(p)})
	idle := startWatch(t, c, etcdapi.WatchOptions{Prefixes: prefixesOf("/idle/", "/idler/")})
	var got []string
	for i := range 3 {
		put(t, c, p+"k", fmt.Sprint(i, " before"))
		if err := server.Close(); err != nil {
			t.Fatal(err)
		}
		if server, err = embedded.Start(etcdtest.Context(t), o); err != nil {
			t.Fatal(err)
		}
		put(t, c, p+"k", fmt.Sprint(i, " after"))
		got = append(got, describe(readEvents(t, w, 2), p))
	}
	put(t, c, "/idle/k", "")
	readEvents(t, idle, 1)
	want := "put k=0 before, put k=0 after; put k=1 before, put k=1 after; put k=2 before, put k=2 after"
	if strings.Join(got, "; ") != want {
		t.Error(got)
	}
	w.Close()
	idle.Close()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

// A consumer that takes nothing holds a bounded number of events, and loses none.
func TestWatchBacklogIsBounded(t *testing.T) {
	c := etcdtest.Client(t)
	for _, tc := range []struct {
		name      string
		events    int
		maxEvents int
		maxBytes  int64
		intervals int
		value     string
	}{
		{"events", 50_000, 5000, 0, 1, ""},
		{"events of two intervals", 50_000, 5000, 0, 2, ""},
		{"bytes", 5000, 0, 256 << 10, 1, strings.Repeat("v", 4000)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := etcdtest.Prefix(t)
			w := startWatch(t, c, etcdapi.WatchOptions{Prefixes: prefixesOf(p+"a/", p+"b/")[:tc.intervals],
				MaxBacklogEvents: tc.maxEvents, MaxBacklogBytes: tc.maxBytes})
			const perTxn = 100
			for i := 0; i < tc.events; i += perTxn {
				var ops []clientv3.Op
				for j := range perTxn {
					ops = append(ops, clientv3.OpPut(fmt.Sprintf("%s%c/%02d", p, 'a'+j%tc.intervals, j), tc.value+fmt.Sprint(i+j)))
				}
				if _, err := c.Clientv3().Txn(etcdtest.Context(t)).Then(ops...).Commit(); err != nil {
					t.Fatal(err)
				}
			}
			eventually(t, func() bool { _, _, paused := w.Backlog(); return paused })
			last, pauses := map[byte]int64{}, 0
			for n := 0; n < tc.events; {
				// twice the bound, and the rest of a revision of 100 events
				events, bytes, paused := w.Backlog()
				if tc.maxEvents > 0 && events > 2*tc.maxEvents+100 || tc.maxBytes > 0 && bytes > 2*tc.maxBytes+100*4500 {
					t.Fatalf("%d events, %d bytes wait", events, bytes)
				}
				if paused {
					pauses++
				}
				b, err := w.Next(etcdtest.Context(t))
				if err != nil {
					t.Fatalf("after %d: %v\n%s", n, err, w.State())
				}
				for i, ev := range b.Events {
					interval := ev.KV.Key[len(p)]
					if rev := ev.KV.ModRevision; rev < last[interval] || i == 0 && rev == last[interval] {
						t.Fatalf("%s: %d after %d", ev.KV.Key, rev, last[interval])
					} else {
						last[interval] = rev
					}
				}
				n += len(b.Events)
			}
			if pauses == 0 || w.Revision() < mustRevision(t, c) && tc.intervals == 1 {
				t.Error(pauses, w.Revision())
			}
			put(t, c, p+"a/0", "live again")
			if ev := readEvents(t, w, 1)[0]; string(ev.KV.Value) != "live again" {
				t.Error(describe([]etcdapi.Event{ev}, p))
			}
		})
	}
}

func TestWatchPositionCompacted(t *testing.T) {
	server := etcdtest.Start(t)
	proxy := etcdtest.NewProxy(t, server.Endpoint())
	c := etcdtest.Connect(t, etcdapi.Config{Endpoints: []string{server.Endpoint()}})
	proxied := etcdtest.Connect(t, etcdapi.Config{Endpoints: []string{proxy.Endpoint()}})
	p := etcdtest.Prefix(t)
	put(t, c, p+"k", "0")
	w := startWatch(t, proxied, etcdapi.WatchOptions{Prefixes: prefixesOf(p)})
	put(t, c, p+"k", "1")
	eventually(t, func() bool { n, _, _ := w.Backlog(); return n == 1 })
	proxy.Cut()
	put(t, c, p+"k", "2")
	rev := put(t, c, p+"k", "3")
	if _, err := c.Clientv3().Compact(etcdtest.Context(t), rev); err != nil {
		t.Fatal(err)
	}
	proxy.Heal()
	if got := describe(readEvents(t, w, 1), p); got != "put k=1" {
		t.Error("what had come before:", got)
	}
	old := startWatch(t, c, etcdapi.WatchOptions{Prefixes: prefixesOf(p, "/x"), FromRevision: 2})
	for _, w := range []*etcdapi.Watch{w, old} {
		for range 2 {
			b, err := w.Next(etcdtest.Context(t))
			var e *etcdapi.Error
			if !errors.As(err, &e) || e.Code != etcdapi.CodeCompacted || b != nil || !strings.Contains(e.Message, fmt.Sprint(rev)) || e.Hint == "" {
				t.Fatalf("%v %v", b, err)
			}
		}
		w.Close()
		if _, err := w.Next(etcdtest.Context(t)); etcdapi.CodeOf(err) != etcdapi.CodeClosed {
			t.Error("after Close:", err)
		}
	}
}
