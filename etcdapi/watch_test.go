package etcdapi_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"etcdlua/etcdapi"
	"etcdlua/etcdapi/etcdtest"
)

// eventually waits until ok, or until the test's time is up.
func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	ctx := etcdtest.Context(t)
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatal("it never came")
		case <-time.After(time.Millisecond):
		}
	}
}

func prefixesOf(all ...string) (ivs []etcdapi.Interval) {
	for _, p := range all {
		ivs = append(ivs, etcdapi.PrefixInterval(p))
	}
	return ivs
}

func startWatch(t *testing.T, c *etcdapi.Client, o etcdapi.WatchOptions) *etcdapi.Watch {
	t.Helper()
	w, err := c.Watch(etcdtest.Context(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// readEvents reads n events, whole revisions and in order; a revision split over two batches fails.
func readEvents(t *testing.T, w *etcdapi.Watch, n int) (all []etcdapi.Event) {
	t.Helper()
	last := int64(0)
	for len(all) < n {
		b, err := w.Next(etcdtest.Context(t))
		if err != nil {
			t.Fatalf("after %d of %d events: %v", len(all), n, err)
		}
		if len(b.Events) == 0 {
			t.Fatal("a batch of nothing")
		}
		if first := b.Events[0].KV.ModRevision; first <= last {
			t.Fatalf("a batch begins with revision %d after %d", first, last)
		}
		for _, ev := range b.Events {
			if ev.KV.ModRevision < last {
				t.Fatalf("revision %d after %d in a batch", ev.KV.ModRevision, last)
			}
			last = ev.KV.ModRevision
		}
		if b.Revision < last || w.Revision() < last {
			t.Fatalf("batch at %d, watch at %d, with events of %d", b.Revision, w.Revision(), last)
		}
		all = append(all, b.Events...)
	}
	if len(all) > n {
		t.Fatalf("%d events, want %d", len(all), n)
	}
	return all
}

func describe(events []etcdapi.Event, prefix string) string {
	var words []string
	for _, ev := range events {
		words = append(words, fmt.Sprintf("%s %s=%s", ev.Type, strings.TrimPrefix(string(ev.KV.Key), prefix), ev.KV.Value))
	}
	return strings.Join(words, ", ")
}

func put(t *testing.T, c *etcdapi.Client, key, value string) int64 {
	t.Helper()
	resp, err := c.Clientv3().Put(etcdtest.Context(t), key, value)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Header.Revision
}

func TestWatchDeliversWhatIsWrittenAfterItReturned(t *testing.T) {
	c := etcdtest.Client(t)
	prefix := etcdtest.Prefix(t)
	for i := range 50 {
		w := startWatch(t, c, etcdapi.WatchOptions{Prefixes: prefixesOf(prefix, "/elsewhere")[:1+i%2]})
		before := w.Revision()
		rev := put(t, c, prefix+"k", fmt.Sprint(i))
		evs := readEvents(t, w, 1)
		if evs[0].KV.ModRevision != rev || w.Revision() != rev || before != rev-1 {
			t.Fatalf("event of %d, watch from %d to %d, written at %d", evs[0].KV.ModRevision, before, w.Revision(), rev)
		}
		w.Close()
	}
}

func TestWatchIntervals(t *testing.T) {
	c := etcdtest.Client(t)
	p := etcdtest.Prefix(t)
	w := startWatch(t, c, etcdapi.WatchOptions{Prefixes: []etcdapi.Interval{
		etcdapi.PrefixInterval(p + "a/"), etcdapi.PrefixInterval(p + "a/b/"), etcdapi.PrefixInterval(p + "a/"), // within, identical
		{From: p + "m", To: p + "p"}, {From: p + "o", To: p + "r"}, // overlapping
		{From: p + "key", To: p + "key\x00"}, {From: p + "key", To: p + "key\x00"}, // an exact key, twice
		{From: p + "z", To: p + "z"}, // empty
	}})
	if n := len(w.Positions()); n != 3 {
		t.Errorf("%d intervals on the server, want 3", n)
	}
	for _, key := range []string{"a/1", "a/b/2", "b", "key", "key2", "n", "o", "q", "r", "z", "a/9"} {
		put(t, c, p+key, "")
	}
	evs := readEvents(t, w, 7)
	if got := describe(evs, p); got != "put a/1=, put a/b/2=, put key=, put n=, put o=, put q=, put a/9=" {
		t.Error(got)
	}
}

func TestWatchEverythingAndHighPrefixes(t *testing.T) {
	c := etcdtest.Client(t)
	all := startWatch(t, c, etcdapi.WatchOptions{Prefixes: prefixesOf("", "/a")})
	high := startWatch(t, c, etcdapi.WatchOptions{Prefixes: prefixesOf("\xff\xff", "\xfe\xff")})
	for _, key := range []string{"\x00", "a", "\xfe\xff1", "\xff", "\xff\xff\xff"} {
		put(t, c, key, "")
	}
	readEvents(t, all, 5)
	if evs := readEvents(t, high, 2); string(evs[0].KV.Key) != "\xfe\xff1" || string(evs[1].KV.Key) != "\xff\xff\xff" {
		t.Errorf("%q", describe(evs, ""))
	}
}

func TestWatchFilterPrevAndHistory(t *testing.T) {
	c := etcdtest.Client(t)
	p := etcdtest.Prefix(t)
	from := put(t, c, p+"k", "1")
	put(t, c, p+"k", "2")
	gone, err := c.Clientv3().Delete(etcdtest.Context(t), p+"k")
	if err != nil {
		t.Fatal(err)
	}
	put(t, c, p+"k", "3")
	for _, tc := range []struct {
		filter, want string
		n            int
	}{
		{"", "put k=1, put k=2, delete k=, put k=3", 4},
		{"put", "put k=1, put k=2, put k=3", 3},
		{"delete", "delete k=", 1},
	} {
		for _, prefixes := range [][]etcdapi.Interval{prefixesOf(p), prefixesOf(p, "/other")} {
			w := startWatch(t, c, etcdapi.WatchOptions{Prefixes: prefixes, FromRevision: from, Filter: tc.filter, PrevKV: true})
			evs := readEvents(t, w, tc.n)
			if got := describe(evs, p); got != tc.want {
				t.Errorf("filter %q: %s", tc.filter, got)
			}
			if first := evs[0]; tc.filter == "delete" && (string(first.Prev.Value) != "2" || first.KV.ModRevision != gone.Header.Revision) {
				t.Errorf("%+v", first)
			}
			if tc.filter == "" && (evs[0].Prev != nil || string(evs[1].Prev.Value) != "1" || evs[3].Prev != nil) {
				t.Error("previous values are wrong")
			}
			w.Close()
		}
	}
	w := startWatch(t, c, etcdapi.WatchOptions{Prefixes: prefixesOf(p), FromRevision: from + 2})
	if got := describe(readEvents(t, w, 2), p); got != "delete k=, put k=3" {
		t.Error(got)
	}
}

// A revision is never split over two batches, also when its events are in several intervals, and when
// the server sends them in pieces.
func TestWatchWholeRevisions(t *testing.T) {
	c := etcdtest.Client(t)
	p := etcdtest.Prefix(t)
	const revisions, perInterval = 300, 5
	w := startWatch(t, c, etcdapi.WatchOptions{Prefixes: prefixesOf(p+"a/", p+"b/", p+"c/")})
	written := make(chan error, 1)
	go func() {
		var err error
		for range revisions {
			var ops []clientv3.Op
			for i := range perInterval {
				for _, d := range []string{"a/", "b/", "c/", "d/"} {
					ops = append(ops, clientv3.OpPut(fmt.Sprint(p, d, i), ""))
				}
			}
			if _, err = c.Clientv3().Txn(context.Background()).Then(ops...).Commit(); err != nil {
				break
			}
		}
		written <- err
	}()
	evs := readEvents(t, w, revisions*perInterval*3)
	counts := map[int64]int{}
	for _, ev := range evs {
		counts[ev.KV.ModRevision]++
	}
	for rev, n := range counts {
		if n != perInterval*3 {
			t.Errorf("%d events of revision %d", n, rev)
		}
	}
	if err := <-written; err != nil || len(counts) != revisions {
		t.Error(len(counts), err)
	}
}

// Events with previous values, 2.6 MiB a revision, are sent in pieces of 1.5 MiB.
func TestWatchFragments(t *testing.T) {
	c := etcdtest.Client(t)
	p := etcdtest.Prefix(t)
	value := strings.Repeat("v", 100<<10)
	w := startWatch(t, c, etcdapi.WatchOptions{Prefixes: prefixesOf(p), PrevKV: true, MaxBacklogBytes: 4 << 20})
	const revisions, perRevision = 20, 13
	first := int64(0)
	for range revisions {
		var ops []clientv3.Op
		for i := range perRevision {
			ops = append(ops, clientv3.OpPut(fmt.Sprint(p, i), value))
		}
		resp, err := c.Clientv3().Txn(etcdtest.Context(t)).Then(ops...).Commit()
		if err != nil {
			t.Fatal(err)
		}
		if first == 0 {
			first = resp.Header.Revision
		}
	}
	readEvents(t, w, revisions*perRevision)
	history := startWatch(t, c, etcdapi.WatchOptions{Prefixes: prefixesOf(p), PrevKV: true, FromRevision: first})
	readEvents(t, history, revisions*perRevision)
}

// The server sends a history in answers of up to a thousand revisions; they are handed out in less.
func TestWatchHistoryInModestBatches(t *testing.T) {
	c := etcdtest.Client(t)
	p := etcdtest.Prefix(t)
	from := mustRevision(t, c) + 1
	const n = 6000
	queryKeys(t, c, p, n, 5) // 128 a revision
	w := startWatch(t, c, etcdapi.WatchOptions{Prefixes: prefixesOf(p), FromRevision: from})
	last, got := int64(0), 0
	for got < n {
		b, err := w.Next(etcdtest.Context(t))
		if err != nil {
			t.Fatal(err)
		}
		if got += len(b.Events); len(b.Events) > 1024+128 {
			t.Errorf("a batch of %d events", len(b.Events))
		}
		if first := b.Events[0].KV.ModRevision; first <= last || b.Revision < b.Events[len(b.Events)-1].KV.ModRevision {
			t.Errorf("a batch from %d to %d after %d", first, b.Revision, last)
		}
		last = b.Revision
	}
}

func TestWatchArguments(t *testing.T) {
	c := etcdtest.Client(t)
	some := prefixesOf("/a")
	for _, o := range []etcdapi.WatchOptions{
		{}, {Prefixes: some, FromRevision: -1}, {Prefixes: some, FromRevision: 1, Initial: true}, {Prefixes: some, Filter: "puts"},
		{Prefixes: some, MaxBacklogEvents: -1}, {Prefixes: []etcdapi.Interval{{From: "b", To: "a"}}},
	} {
		w, err := c.Watch(etcdtest.Context(t), o)
		if etcdapi.CodeOf(err) != etcdapi.CodeInvalidArgument {
			t.Fatalf("%+v: %v %v", o, w, err)
		}
	}
}

func TestWatchRevisionAndLag(t *testing.T) {
	c := etcdtest.Client(t)
	p := etcdtest.Prefix(t)
	lag := func(w *etcdapi.Watch) int64 {
		t.Helper()
		n, err := w.Lag(etcdtest.Context(t))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, prefixes := range [][]etcdapi.Interval{prefixesOf(p), prefixesOf(p, p+"/other", "/third")} {
		w := startWatch(t, c, etcdapi.WatchOptions{Prefixes: prefixes})
		start := w.Revision()
		for range 10 {
			put(t, c, "/elsewhere", "")
		}
		if w.Revision() != start {
			t.Error("the position moved by itself")
		}
		if n := lag(w); n != 0 || w.Revision() < start+10 {
			t.Errorf("an idle watch lags %d, at %d", n, w.Revision())
		}
		put(t, c, p+"k", "")
		put(t, c, "/elsewhere", "")
		eventually(t, func() bool { n, _, _ := w.Backlog(); return n == 1 })
		if n := lag(w); n < 1 {
			t.Errorf("a watch with an event that waits lags %d", n)
		}
		readEvents(t, w, 1)
		if n := lag(w); n != 0 {
			t.Errorf("a watch that has everything lags %d", n)
		}
		w.Close()
	}
}
