package etcdapi_test

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"slices"
	"strings"
	"testing"

	"etcdlua/etcdapi"
	"etcdlua/etcdapi/etcdtest"
)

func TestQueryIsOfOneRevision(t *testing.T) {
	for _, way := range queryWays {
		for _, order := range []string{"key", "key desc"} {
			t.Run(way.name+" "+order, func(t *testing.T) {
				c := etcdtest.Client(t)
				way.setup(c)
				prefix := etcdtest.Prefix(t)
				queryKeys(t, c, prefix, 4000, 300)
				q := newQuery(t, c, prefix, etcdapi.QueryOptions{Order: order})
				p := q.Pages(etcdtest.Context(t))
				defer p.Close()
				if p.Revision() != 0 {
					t.Error("a revision before the first page")
				}
				kvs, err := p.Next(etcdtest.Context(t))
				if err != nil {
					t.Fatal(err)
				}
				rev := p.Revision()
				queryKeys(t, c, prefix, 4000, 10) // everything is changed, and something added
				queryKeys(t, c, prefix+"between", 100, 10)
				n := 0
				for ; kvs != nil; kvs, err = p.Next(etcdtest.Context(t)) {
					for _, kv := range kvs {
						if n++; kv.ModRevision > rev || len(kv.Value) != 300 {
							t.Fatalf("key %s of revision %d in a reading of %d", kv.Key, kv.ModRevision, rev)
						}
					}
				}
				if err != nil || n != 4000 || p.Revision() != rev {
					t.Fatalf("%d keys at %d, then %d: %v", n, rev, p.Revision(), err)
				}
				if kvs, err := p.Next(etcdtest.Context(t)); kvs != nil || err != nil {
					t.Error("more after the end", err)
				}
			})
		}
	}
}

func TestQueryPagesGrowByBytes(t *testing.T) {
	c := etcdtest.Client(t)
	etcdapi.WithoutRangeStream(c)
	prefix := etcdtest.Prefix(t)
	queryKeys(t, c, prefix, 9000, 10)
	if _, pages := readPages(t, newQuery(t, c, prefix, etcdapi.QueryOptions{})); !slices.Equal(pages, []int{1000, 2000, 4000, 2000}) {
		t.Errorf("small keys: pages of %v", pages)
	}
	big := etcdtest.Prefix(t)
	queryKeys(t, c, big, 1600, 10_000)
	_, pages := readPages(t, newQuery(t, c, big, etcdapi.QueryOptions{}))
	for _, n := range pages[1:] {
		if n*10_000 > 2<<20 {
			t.Errorf("keys of 10 kB: pages of %v", pages)
		}
	}
}

func TestQueryCompactedOnTheWay(t *testing.T) {
	for _, way := range queryWays {
		t.Run(way.name, func(t *testing.T) {
			c := etcdtest.Client(t)
			way.setup(c)
			prefix := etcdtest.Prefix(t)
			queryKeys(t, c, prefix, 6000, 5000) // more than what is sent ahead
			p := newQuery(t, c, prefix, etcdapi.QueryOptions{}).Pages(etcdtest.Context(t))
			defer p.Close()
			kvs, err := p.Next(etcdtest.Context(t))
			if err != nil {
				t.Fatal(err)
			}
			put, err := c.Clientv3().Put(etcdtest.Context(t), prefix, "later")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Clientv3().Compact(etcdtest.Context(t), put.Header.Revision); err != nil {
				t.Fatal(err)
			}
			last := ""
			for err == nil && kvs != nil {
				last = string(kvs[len(kvs)-1].Key)
				kvs, err = p.Next(etcdtest.Context(t))
			}
			var e *etcdapi.Error
			if !errors.As(err, &e) || e.Code != etcdapi.CodeCompacted || e.Key != last {
				t.Fatalf("after %s: %v", last, err)
			}
			if _, again := p.Next(etcdtest.Context(t)); again != err {
				t.Error("another error the second time:", again)
			}
		})
	}
}

func TestPagesCloseAndCancel(t *testing.T) {
	c := etcdtest.Client(t)
	prefix := etcdtest.Prefix(t)
	queryKeys(t, c, prefix, 5000, 1000)
	ctx := etcdtest.Context(t)
	q := newQuery(t, c, prefix, etcdapi.QueryOptions{})

	p := q.Pages(ctx)
	if _, err := p.Next(ctx); err != nil {
		t.Fatal(err)
	}
	p.Close()
	p.Close()
	if _, err := p.Next(ctx); etcdapi.CodeOf(err) != etcdapi.CodeClosed {
		t.Error("after Close:", err)
	}

	p = q.Pages(ctx)
	done, cancel := context.WithCancel(ctx)
	cancel()
	for n := 0; n < 5000; { // a wait that was cancelled loses nothing
		if kvs, err := p.Next(done); etcdapi.CodeOf(err) != etcdapi.CodeCancelled && kvs == nil {
			t.Fatal("a cancelled wait:", err)
		} else {
			n += len(kvs)
		}
		kvs, err := p.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		n += len(kvs)
	}

	life, end := context.WithCancel(ctx)
	p = q.Pages(life)
	if _, err := p.Next(ctx); err != nil {
		t.Fatal(err)
	}
	end()
	var err error
	for range 20 { // a page that was there may come first
		if _, err = p.Next(ctx); err != nil {
			break
		}
	}
	if etcdapi.CodeOf(err) != etcdapi.CodeCancelled {
		t.Error("after the end of the reading's context:", err)
	}
}

// What a dropped reading holds on the server and here goes when the collector finds it; goleak, at the
// end of the package's tests, would not say which test it was.
func TestPagesDropped(t *testing.T) {
	c := etcdtest.Client(t)
	prefix := etcdtest.Prefix(t)
	queryKeys(t, c, prefix, 6000, 5000)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	before := goruntime.NumGoroutine()
	for range 10 {
		if _, err := newQuery(t, c, prefix, etcdapi.QueryOptions{}).Pages(ctx).Next(ctx); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, func() bool {
		goruntime.GC()
		return goruntime.NumGoroutine() <= before
	})
}

func TestQuerySurvivesABrokenConnection(t *testing.T) {
	for _, way := range queryWays {
		t.Run(way.name, func(t *testing.T) {
			proxy := etcdtest.NewProxy(t, etcdtest.Endpoint(t))
			c := etcdtest.Connect(t, etcdapi.Config{Endpoints: []string{proxy.Endpoint()}, CommandTimeout: 20e9})
			way.setup(c)
			prefix := etcdtest.Prefix(t)
			queryKeys(t, c, prefix, 8000, 3000)
			p := newQuery(t, c, prefix, etcdapi.QueryOptions{}).Pages(etcdtest.Context(t))
			defer p.Close()
			n := 0
			for page := 0; ; page++ {
				kvs, err := p.Next(etcdtest.Context(t))
				if err != nil {
					t.Fatal(err)
				}
				if kvs == nil {
					break
				}
				for _, kv := range kvs {
					if !strings.HasSuffix(string(kv.Key), fmt.Sprintf("%06d", n)) {
						t.Fatalf("%s instead of %d", kv.Key, n)
					}
					n++
				}
				if page == 1 {
					proxy.Cut()
					proxy.Heal()
				}
			}
			if n != 8000 {
				t.Fatal(n)
			}
		})
	}
}
