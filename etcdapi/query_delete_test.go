package etcdapi_test

import (
	"fmt"
	"sync"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"etcdlua/etcdapi"
	"etcdlua/etcdapi/etcdtest"
)

func TestQueryDelete(t *testing.T) {
	c := etcdtest.Client(t)
	ctx := etcdtest.Context(t)
	prefix := etcdtest.Prefix(t)
	queryKeys(t, c, prefix, 10, 5)
	q := newQuery(t, c, prefix, etcdapi.QueryOptions{})
	nine, ten := int64(9), int64(10)

	r, err := q.Delete(ctx, etcdapi.QueryDeleteOptions{Max: &nine})
	if etcdapi.CodeOf(err) != etcdapi.CodeGuarded || r.Done {
		t.Fatal("more than max:", r, err)
	}
	if n, _, err := q.Count(ctx); n != 10 || err != nil {
		t.Fatal("a guarded delete deleted:", n, err)
	}
	r, err = q.Delete(ctx, etcdapi.QueryDeleteOptions{Max: &ten, PrevKV: true})
	if err != nil || !r.Done || r.Deleted != 10 || len(r.Prev) != 10 || r.Revision != mustRevision(t, c) {
		t.Fatal(r, err)
	}
	r, err = q.Delete(ctx, etcdapi.QueryDeleteOptions{Max: new(int64)})
	if err != nil || !r.Done || r.Deleted != 0 {
		t.Fatal("none of none:", r, err)
	}
	queryKeys(t, c, prefix, 3, 5)
	r, err = q.Delete(ctx, etcdapi.QueryDeleteOptions{})
	if err != nil || r.Deleted != 3 || r.Prev != nil {
		t.Fatal(r, err)
	}
}

// Keys that are written between the count and the delete must not be deleted uncounted.
func TestQueryDeleteCountsWhatItDeletes(t *testing.T) {
	c := etcdtest.Client(t)
	ctx := etcdtest.Context(t)
	prefix := etcdtest.Prefix(t)
	q := newQuery(t, c, prefix, etcdapi.QueryOptions{})
	five := int64(5)
	for range 30 {
		queryKeys(t, c, prefix, 5, 5)
		var writer sync.WaitGroup
		writer.Go(func() {
			var ops []clientv3.Op
			for i := range 8 {
				ops = append(ops, clientv3.OpPut(fmt.Sprintf("%s%06d", prefix, i), "x"))
			}
			if _, err := c.Clientv3().Txn(ctx).Then(ops...).Commit(); err != nil {
				t.Error(err)
			}
		})
		r, err := q.Delete(ctx, etcdapi.QueryDeleteOptions{Max: &five})
		if code := etcdapi.CodeOf(err); code != "" && code != etcdapi.CodeGuarded && code != etcdapi.CodeConflict {
			t.Fatal(err)
		}
		if r.Deleted > five {
			t.Fatalf("%d deleted, allowed were %d", r.Deleted, five)
		}
		writer.Wait()
	}
}

func TestQueryDeleteGuards(t *testing.T) {
	c := etcdtest.Client(t)
	ctx := etcdtest.Context(t)
	prefix := etcdtest.Prefix(t)
	queryKeys(t, c, prefix, 3, 5)
	for _, iv := range []etcdapi.Interval{etcdapi.PrefixInterval(""), etcdapi.RangeInterval("", ""), etcdapi.RangeInterval("\x00", "")} {
		q, err := c.Query(iv, etcdapi.QueryOptions{})
		if err != nil {
			t.Fatal(err)
		}
		many := int64(1000)
		for _, o := range []etcdapi.QueryDeleteOptions{{}, {Max: &many}} {
			if _, err := q.Delete(ctx, o); etcdapi.CodeOf(err) != etcdapi.CodeGuarded {
				t.Fatalf("%q: %v", iv, err)
			}
		}
	}
	for _, o := range []etcdapi.QueryOptions{{Limit: 1}, {Revision: 1}, {MinModRevision: 2}, {MaxCreateRevision: 2}} {
		if _, err := newQuery(t, c, prefix, o).Delete(ctx, etcdapi.QueryDeleteOptions{}); etcdapi.CodeOf(err) != etcdapi.CodeInvalidArgument {
			t.Errorf("%+v: %v", o, err)
		}
	}
	minus := int64(-1)
	if _, err := newQuery(t, c, prefix, etcdapi.QueryOptions{}).Delete(ctx, etcdapi.QueryDeleteOptions{Max: &minus}); etcdapi.CodeOf(err) != etcdapi.CodeInvalidArgument {
		t.Error("max below zero:", err)
	}
	if n, _, _ := newQuery(t, c, prefix, etcdapi.QueryOptions{}).Count(ctx); n != 3 {
		t.Fatal("something was deleted")
	}
	whole, _ := c.Query(etcdapi.PrefixInterval(""), etcdapi.QueryOptions{})
	if r, err := whole.Delete(ctx, etcdapi.QueryDeleteOptions{All: true}); err != nil || r.Deleted != 3 {
		t.Error("all:", r, err)
	}
}
