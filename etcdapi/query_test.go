package etcdapi_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"etcdlua/etcdapi"
	"etcdlua/etcdapi/etcdtest"
)

// queryKeys writes n keys of the given value size in as few transactions as possible.
func queryKeys(t *testing.T, c *etcdapi.Client, prefix string, n, size int) {
	t.Helper()
	value := strings.Repeat("v", size)
	perTxn := max(1, min(128, 1<<20/(size+100)))
	for i := 0; i < n; i += perTxn {
		var ops []clientv3.Op
		for j := i; j < min(n, i+perTxn); j++ {
			ops = append(ops, clientv3.OpPut(fmt.Sprintf("%s%06d", prefix, j), value))
		}
		if _, err := c.Clientv3().Txn(etcdtest.Context(t)).Then(ops...).Commit(); err != nil {
			t.Fatal(err)
		}
	}
}

func newQuery(t *testing.T, c *etcdapi.Client, prefix string, o etcdapi.QueryOptions) *etcdapi.Query {
	t.Helper()
	q, err := c.Query(etcdapi.PrefixInterval(prefix), o)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// readPages reads to the end and returns the keys without their prefix, and how many came in each page.
func readPages(t *testing.T, q *etcdapi.Query) (keys []string, pages []int) {
	t.Helper()
	p := q.Pages(etcdtest.Context(t))
	defer p.Close()
	for {
		kvs, err := p.Next(etcdtest.Context(t))
		if err != nil {
			t.Fatal(err)
		}
		if kvs == nil {
			return keys, pages
		}
		for _, kv := range kvs {
			keys = append(keys, strings.TrimPrefix(string(kv.Key), q.Interval().From))
		}
		pages = append(pages, len(kvs))
	}
}

func numbered(from, to int) (keys []string) {
	for i := from; i < to; i++ {
		keys = append(keys, fmt.Sprintf("%06d", i))
	}
	return keys
}

// queryWays are the ways in which pages are read.
var queryWays = []struct {
	name  string
	setup func(*etcdapi.Client)
}{
	{"stream", func(*etcdapi.Client) {}},
	{"pages", etcdapi.WithoutRangeStream},
}

func TestQueryReadsAllInOrder(t *testing.T) {
	server := etcdtest.Start(t)
	for _, way := range queryWays {
		t.Run(way.name, func(t *testing.T) {
			c := etcdtest.Connect(t, etcdapi.Config{Endpoints: []string{server.Endpoint()}})
			way.setup(c)
			prefix := etcdtest.Prefix(t)
			queryKeys(t, c, prefix, 5300, 30)
			up := numbered(0, 5300)
			down := slices.Clone(up)
			slices.Reverse(down)
			for _, tc := range []struct {
				o    etcdapi.QueryOptions
				want []string
			}{
				{etcdapi.QueryOptions{}, up},
				{etcdapi.QueryOptions{Order: "key", Serializable: true}, up},
				{etcdapi.QueryOptions{KeysOnly: true}, up},
				{etcdapi.QueryOptions{PageSize: 700}, up},
				{etcdapi.QueryOptions{Limit: 1}, up[:1]},
				{etcdapi.QueryOptions{Limit: 1000}, up[:1000]},
				{etcdapi.QueryOptions{Limit: 1001}, up[:1001]},
				{etcdapi.QueryOptions{Limit: 4321}, up[:4321]},
				{etcdapi.QueryOptions{Limit: 9999}, up},
				{etcdapi.QueryOptions{Order: "key desc"}, down},
				{etcdapi.QueryOptions{Order: "key desc", PageSize: 333}, down},
				{etcdapi.QueryOptions{Order: "key desc", Limit: 1}, down[:1]},
				{etcdapi.QueryOptions{Order: "key desc", Limit: 2345, KeysOnly: true}, down[:2345]},
				{etcdapi.QueryOptions{Order: "key desc", Limit: 9999}, down},
			} {
				keys, pages := readPages(t, newQuery(t, c, prefix, tc.o))
				if !slices.Equal(keys, tc.want) {
					t.Errorf("%+v: %d keys in pages of %v, want %d", tc.o, len(keys), pages, len(tc.want))
				}
				if tc.o.PageSize > 0 && slices.Max(pages) > int(tc.o.PageSize) {
					t.Errorf("%+v: pages of %v", tc.o, pages)
				}
			}
		})
	}
}

// Every combination of limit, page size, order and filters against the same done by hand.
func TestQueryAgainstAModel(t *testing.T) {
	c := etcdtest.Client(t)
	prefix := etcdtest.Prefix(t)
	queryKeys(t, c, prefix, 1500, 10)
	all, err := c.Clientv3().Get(etcdtest.Context(t), prefix, clientv3.WithPrefix())
	if err != nil {
		t.Fatal(err)
	}
	first, last := all.Kvs[0].ModRevision, all.Header.Revision
	rng := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		o := etcdapi.QueryOptions{
			Order:    []string{"", "key desc"}[rng.IntN(2)],
			Limit:    []int64{0, 0, 1, 7, 999, 1000, 1001, 1499}[rng.IntN(8)],
			PageSize: []int64{0, 0, 1, 50, 400}[rng.IntN(5)],
		}
		if o.PageSize == 1 {
			o.Limit = 5
		}
		if rng.IntN(2) == 0 {
			o.MinModRevision, o.MaxCreateRevision = first+rng.Int64N(last-first), last-rng.Int64N(3)
		}
		var want []string
		for _, kv := range all.Kvs {
			if kv.ModRevision >= o.MinModRevision && (o.MaxCreateRevision == 0 || kv.CreateRevision <= o.MaxCreateRevision) {
				want = append(want, strings.TrimPrefix(string(kv.Key), prefix))
			}
		}
		if o.Order != "" {
			slices.Reverse(want)
		}
		if o.Limit > 0 {
			want = want[:min(int(o.Limit), len(want))]
		}
		q := newQuery(t, c, prefix, o)
		if keys, _ := readPages(t, q); !slices.Equal(keys, want) {
			t.Fatalf("%+v: %d keys, want %d", o, len(keys), len(want))
		}
		if n, _, err := q.Count(etcdtest.Context(t)); err != nil || n != int64(len(want)) {
			t.Fatalf("%+v: count %d, %v; want %d", o, n, err, len(want))
		}
	}
}

// Keys that follow each other at once: nothing fits between a page's last key and the next one's first.
func TestQueryNeighbours(t *testing.T) {
	c := etcdtest.Client(t)
	p := etcdtest.Prefix(t)
	want := []string{"", "\x00", "\x00\x00", "\x00\x01", "\x01", "a", "a\x00", "a\x00\xff", "\xff", "\xff\x00", "\xff\xff"}
	for _, key := range want {
		put(t, c, p+key, "")
	}
	for _, o := range []etcdapi.QueryOptions{{PageSize: 1}, {PageSize: 2}, {PageSize: 1, Order: "key desc"}} {
		keys, _ := readPages(t, newQuery(t, c, p, o))
		if o.Order != "" {
			slices.Reverse(keys)
		}
		if !slices.Equal(keys, want) {
			t.Errorf("%+v: %q", o, keys)
		}
	}
}

func TestQueryOtherOrders(t *testing.T) {
	c := etcdtest.Client(t)
	prefix := etcdtest.Prefix(t)
	for i, key := range []string{"c", "a", "b", "a"} {
		if _, err := c.Clientv3().Put(etcdtest.Context(t), prefix+key, string(rune('z'-i))); err != nil {
			t.Fatal(err)
		}
	}
	// a was written second and last, so it is the newest, has version 2, and the smallest value
	for order, want := range map[string]string{
		"mod_revision": "cba", "mod_revision desc": "abc", "create_revision": "cab", "create_revision desc": "bac",
		"value": "abc", "value desc": "cba", "version desc": "a", "version": "..a",
	} {
		keys, _ := readPages(t, newQuery(t, c, prefix, etcdapi.QueryOptions{Order: order}))
		if !regexp.MustCompile("^" + want).MatchString(strings.Join(keys, "")) {
			t.Errorf("%s: %v, want %s", order, keys, want)
		}
	}
	q := newQuery(t, c, prefix, etcdapi.QueryOptions{Order: "mod_revision desc", Limit: 1, MaxModRevision: mustRevision(t, c) - 1, KeysOnly: true})
	if keys, _ := readPages(t, q); strings.Join(keys, "") != "b" {
		t.Error("filter, order and limit:", keys)
	}
}

func mustRevision(t *testing.T, c *etcdapi.Client) int64 {
	t.Helper()
	resp, err := c.Clientv3().Get(etcdtest.Context(t), "x")
	if err != nil {
		t.Fatal(err)
	}
	return resp.Header.Revision
}

func TestQueryRefusesToSortTooMuch(t *testing.T) {
	c := etcdtest.Client(t)
	prefix := etcdtest.Prefix(t)
	queryKeys(t, c, prefix, 100_001, 1)
	ctx := etcdtest.Context(t)
	q := newQuery(t, c, prefix, etcdapi.QueryOptions{Order: "value"})
	if kvs, err := q.Pages(ctx).Next(ctx); etcdapi.CodeOf(err) != etcdapi.CodeLimitExceeded || kvs != nil {
		t.Error(err)
	}
	for _, o := range []etcdapi.QueryOptions{{Order: "value", SortAll: true}, {Order: "value", Limit: 3}} {
		if kvs, err := newQuery(t, c, prefix, o).Pages(ctx).Next(ctx); err != nil || len(kvs) == 0 {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestQueryArguments(t *testing.T) {
	c := etcdtest.Client(t)
	for _, o := range []etcdapi.QueryOptions{
		{Order: "size"}, {Order: "desc"}, {Order: "key asc"}, {Limit: -1}, {Revision: -1}, {PageSize: -1}, {MinModRevision: -2}, {Timeout: -1},
	} {
		if _, err := c.Query(etcdapi.PrefixInterval("/a"), o); etcdapi.CodeOf(err) != etcdapi.CodeInvalidArgument {
			t.Errorf("%+v: %v", o, err)
		}
	}
	_, err := c.Query(etcdapi.PrefixInterval("/a"), etcdapi.QueryOptions{Order: "size"})
	if !strings.Contains(err.Error(), "create_revision") {
		t.Error("the error does not name the known orders:", err)
	}
}

func TestQueryErrors(t *testing.T) {
	c := etcdtest.Client(t)
	ctx := etcdtest.Context(t)
	if _, err := newQuery(t, c, "/", etcdapi.QueryOptions{Revision: 1000}).Pages(ctx).Next(ctx); etcdapi.CodeOf(err) != etcdapi.CodeFutureRevision {
		t.Error("a revision to come:", err)
	}
	q, err := c.Query(etcdapi.RangeInterval("b", "a"), etcdapi.QueryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if kvs, err := q.Pages(ctx).Next(ctx); kvs != nil || err != nil {
		t.Error("an empty interval:", kvs, err)
	}
}
