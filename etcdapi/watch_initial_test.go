package etcdapi_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"etcdlua/etcdapi"
	"etcdlua/etcdapi/etcdtest"
)

func TestWatchInitialOfNothing(t *testing.T) {
	c := etcdtest.Client(t)
	for _, filter := range []string{"", "delete"} {
		p := etcdtest.Prefix(t)
		if filter != "" {
			put(t, c, p+"k", "there, but not deleted")
		}
		w := startWatch(t, c, etcdapi.WatchOptions{Prefixes: prefixesOf(p, p+"x"), Initial: true, Filter: filter})
		if w.Revision() != 0 {
			t.Error("a position before the listing was handed out")
		}
		b, err := w.Next(etcdtest.Context(t))
		if err != nil {
			t.Fatal(err)
		}
		if !b.Synced || len(b.Events) != 0 || b.Revision != mustRevision(t, c) || w.Revision() != b.Revision {
			t.Errorf("%+v", b)
		}
		put(t, c, p+"k", "")
		if _, err := c.Clientv3().Delete(etcdtest.Context(t), p+"k"); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"": "put k=, delete k=", "delete": "delete k="}[filter]
		if got := describe(readEvents(t, w, map[string]int{"": 2, "delete": 1}[filter]), p); got != want {
			t.Error(got)
		}
	}
}

// The keys of two intervals, then the changes, while many writers are at work: what the events make of
// an empty table is what is in the store, and every revision after the listing came once.
func TestWatchInitialWithoutGap(t *testing.T) {
	c := etcdtest.Client(t)
	p := etcdtest.Prefix(t)
	queryKeys(t, c, p+"a/", 3000, 100)
	queryKeys(t, c, p+"b/", 10, 100)
	ctx := etcdtest.Context(t)
	var writers sync.WaitGroup
	written := make([]map[int64]bool, 4)
	for i := range written {
		written[i] = map[int64]bool{}
		rng := rand.New(rand.NewPCG(uint64(i), 1))
		writers.Go(func() {
			for range 500 {
				rev, err := change(ctx, c, fmt.Sprintf("%s%c/%06d", p, 'a'+rng.IntN(2), rng.IntN(3000)), rng.IntN(3) == 0)
				if err != nil {
					t.Error(err)
					return
				}
				written[i][rev] = true
			}
		})
	}
	w := startWatch(t, c, etcdapi.WatchOptions{Prefixes: prefixesOf(p+"a/", p+"b/"), Initial: true, MaxBacklogEvents: 100})
	table, start := map[string]int64{}, int64(0)
	for start == 0 {
		b, err := w.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, ev := range b.Events {
			if _, twice := table[string(ev.KV.Key)]; twice || !ev.Initial || ev.Type != etcdapi.EventPut {
				t.Fatalf("%+v", ev)
			}
			table[string(ev.KV.Key)] = ev.KV.ModRevision
		}
		if b.Synced {
			start = b.Revision
		}
	}
	writers.Wait()
	expected := map[int64]bool{}
	for _, revs := range written {
		for rev := range revs {
			if rev > start {
				expected[rev] = true
			}
		}
	}
	for len(expected) > 0 {
		b, err := w.Next(ctx)
		if err != nil {
			t.Fatalf("%d events to come: %v", len(expected), err)
		}
		for _, ev := range b.Events {
			if ev.Initial || !expected[ev.KV.ModRevision] {
				t.Fatalf("again, or from before %d: %+v", start, ev)
			}
			delete(expected, ev.KV.ModRevision)
			table[string(ev.KV.Key)] = ev.KV.ModRevision
			if ev.Type == etcdapi.EventDelete {
				delete(table, string(ev.KV.Key))
			}
		}
	}
	if want := storeTable(t, c, p); !maps.Equal(table, want) {
		t.Errorf("%d keys by the events, %d in the store", len(table), len(want))
	}
	end := put(t, c, "/elsewhere", "")
	eventually(t, func() bool { return w.Revision() >= end }) // though one interval had fewer changes
}

// change puts the key, or deletes it if it is there; the revision is 0 when nothing changed.
func change(ctx context.Context, c *etcdapi.Client, key string, remove bool) (int64, error) {
	if !remove {
		resp, err := c.Clientv3().Put(ctx, key, "new")
		if err != nil {
			return 0, err
		}
		return resp.Header.Revision, nil
	}
	resp, err := c.Clientv3().Delete(ctx, key)
	if err != nil || resp.Deleted == 0 {
		return 0, err
	}
	return resp.Header.Revision, nil
}

func storeTable(t *testing.T, c *etcdapi.Client, prefix string) map[string]int64 {
	t.Helper()
	resp, err := c.Clientv3().Get(etcdtest.Context(t), prefix, clientv3.WithPrefix())
	if err != nil {
		t.Fatal(err)
	}
	table := map[string]int64{}
	for _, kv := range resp.Kvs {
		table[string(kv.Key)] = kv.ModRevision
	}
	return table
}
