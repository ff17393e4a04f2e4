package etcd

import (
	"strconv"
	"time"

	lua "github.com/yuin/gopher-lua"

	"etcdlua/etcdapi"
	"etcdlua/runtime"
)

type queryOptions struct {
	Revision          int64         `lua:"revision"`
	Limit             *int64        `lua:"limit"`
	Order             string        `lua:"order"`
	SortAll           bool          `lua:"sort_all"`
	KeysOnly          bool          `lua:"keys_only"`
	Serializable      bool          `lua:"serializable"`
	PageSize          *int64        `lua:"page_size"`
	MinModRevision    int64         `lua:"min_mod_revision"`
	MaxModRevision    int64         `lua:"max_mod_revision"`
	MinCreateRevision int64         `lua:"min_create_revision"`
	MaxCreateRevision int64         `lua:"max_create_revision"`
	Timeout           time.Duration `lua:"timeout"`
}

// query is what etcd.range and etcd.prefix return: lazy, used any number of times.
type query struct {
	m        *client
	op       string
	interval etcdapi.Interval
	options  etcdapi.QueryOptions
	q        *etcdapi.Query
	revision int64
	loops    []*reading // for-loops over the query itself that have not ended
}

func (m *client) newQueryType() *runtime.Type[*query] {
	t := runtime.NewType[*query](m.h, "query", runtime.Methods{
		"list": queryList, "map": queryMap, "keys": queryKeys, "first": queryFirst, "count": queryCount,
		"revision": queryRevision, "iter": queryIter, "delete": queryDelete, "watch": queryWatch, "events": queryEvents,
	})
	t.Meta("__call", queryLoop)
	t.String = func(q *query) string { return q.describe() }
	return t
}

func (q *query) describe() string {
	to := "…"
	if q.interval.To != "" {
		to = quote(q.interval.To)
	}
	return "query: [" + quote(q.interval.From) + ", " + to + ")"
}

func quote(s string) string { return strconv.Quote(s) }

func (m *client) rangeQuery(L *lua.LState) int {
	const op = "etcd.range"
	var from string
	var to *string
	var o queryOptions
	if _, isTable := L.Get(2).(*lua.LTable); isTable { // no upper end, but options
		L.Insert(lua.LNil, 2)
	}
	runtime.Unpack(L, op, "from", &from, "to?", &to, "opts?", &o)
	if to == nil {
		return m.pushQuery(L, op, etcdapi.RangeInterval(from, ""), &o)
	}
	if *to == "" {
		runtime.Raise(L, runtime.Errorf(runtime.CodeInvalidArgument, op, "%s: the upper end is empty", op).
			WithHint("leave it out, or say nil, to read from %s on without an end", quote(from)))
	}
	return m.pushQuery(L, op, etcdapi.RangeInterval(from, *to), &o)
}

func (m *client) prefixQuery(L *lua.LState) int {
	const op = "etcd.prefix"
	var prefix string
	var o queryOptions
	runtime.Unpack(L, op, "prefix", &prefix, "opts?", &o)
	return m.pushQuery(L, op, etcdapi.PrefixInterval(prefix), &o)
}

func (m *client) pushQuery(L *lua.LState, op string, iv etcdapi.Interval, o *queryOptions) int {
	q := &query{m: m, op: op, interval: iv, options: etcdapi.QueryOptions{
		Revision: o.Revision, Order: o.Order, SortAll: o.SortAll, KeysOnly: o.KeysOnly, Serializable: o.Serializable,
		MinModRevision: o.MinModRevision, MaxModRevision: o.MaxModRevision,
		MinCreateRevision: o.MinCreateRevision, MaxCreateRevision: o.MaxCreateRevision, Timeout: o.Timeout,
	}}
	q.options.Limit = atLeastOne(L, op, "limit", o.Limit)
	q.options.PageSize = atLeastOne(L, op, "page_size", o.PageSize)
	var err error
	if q.q, err = m.c.Query(iv, q.options); err != nil {
		runtime.Raise(L, failure(op, err))
	}
	L.Push(m.queries.New(q))
	return 1
}

// atLeastOne reads an optional count; 0 would mean "no limit" below, which nobody who
// writes 0 wants.
func atLeastOne(L *lua.LState, op, name string, v *int64) int64 {
	if v == nil {
		return 0
	}
	if *v < 1 {
		invalid(L, op, "option %s must be at least 1, but is %d", name, *v)
	}
	return *v
}

func queryIter(L *lua.LState) int {
	q := runtime.Self[*query](L, "query:iter")
	runtime.Unpack(L, "query:iter")
	var r *reading
	L.Push(q.m.h.NewFunction(func(L *lua.LState) int {
		if r == nil {
			r = q.newReading(L, q.q)
		}
		return r.push(L, r.step(L))
	}))
	return 1
}

// each reads the whole query and hands every kv to f.
func (q *query) each(L *lua.LState, api *etcdapi.Query, f func(kv *etcdapi.KV)) {
	r := q.newReading(L, api)
	defer r.pages.Close()
	for kv := r.step(L); kv != nil; kv = r.step(L) {
		f(kv)
	}
}

func queryList(L *lua.LState) int {
	q := runtime.Self[*query](L, "query:list")
	runtime.Unpack(L, "query:list")
	t, n := L.NewTable(), 0
	q.each(L, q.q, func(kv *etcdapi.KV) { n++; t.RawSetInt(n, kvTable(L, kv)) })
	L.Push(t)
	return 1
}

func queryMap(L *lua.LState) int {
	q := runtime.Self[*query](L, "query:map")
	runtime.Unpack(L, "query:map")
	t := L.NewTable()
	q.each(L, q.q, func(kv *etcdapi.KV) { t.RawSetString(string(text(kv.Key)), text(kv.Value)) })
	L.Push(t)
	return 1
}

func queryKeys(L *lua.LState) int {
	q := runtime.Self[*query](L, "query:keys")
	runtime.Unpack(L, "query:keys")
	o := q.options
	o.KeysOnly = true
	t, n := L.NewTable(), 0
	q.each(L, q.with(L, o), func(kv *etcdapi.KV) { n++; t.RawSetInt(n, text(kv.Key)) })
	L.Push(t)
	return 1
}

func queryFirst(L *lua.LState) int {
	q := runtime.Self[*query](L, "query:first")
	runtime.Unpack(L, "query:first")
	o := q.options
	o.Limit = 1
	var first *etcdapi.KV
	q.each(L, q.with(L, o), func(kv *etcdapi.KV) { first = kv })
	L.Push(kvTable(L, first))
	return 1
}

// with is the same interval with other options.
func (q *query) with(L *lua.LState, o etcdapi.QueryOptions) *etcdapi.Query {
	api, err := q.m.c.Query(q.interval, o)
	if err != nil {
		runtime.Raise(L, failure(q.op, err))
	}
	return api
}

func queryCount(L *lua.LState) int {
	q := runtime.Self[*query](L, "query:count")
	runtime.Unpack(L, "query:count")
	var n int64
	q.m.do(L, q.op, func(ctx runtime.Ctx) (err error) {
		n, q.revision, err = q.q.Count(ctx)
		return err
	})
	L.Push(lua.LNumber(n))
	return 1
}

func queryRevision(L *lua.LState) int {
	q := runtime.Self[*query](L, "query:revision")
	runtime.Unpack(L, "query:revision")
	if q.revision == 0 {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(lua.LNumber(q.revision))
	return 1
}

type queryDeleteOptions struct {
	Prev    bool          `lua:"prev"`
	Max     *int64        `lua:"max"`
	All     bool          `lua:"all"`
	Timeout time.Duration `lua:"timeout"`
}

func queryDelete(L *lua.LState) int {
	const op = "query:delete"
	q := runtime.Self[*query](L, op)
	var o queryDeleteOptions
	runtime.Unpack(L, op, "opts?", &o)
	if o.Max != nil && *o.Max < 0 {
		invalid(L, op, "option max must not be negative, but is %d", *o.Max)
	}
	var res etcdapi.DeleteResult
	q.m.do(L, op, func(ctx runtime.Ctx) (err error) {
		res, err = q.q.Delete(ctx, etcdapi.QueryDeleteOptions{PrevKV: o.Prev, Max: o.Max, All: o.All, Timeout: o.Timeout})
		return err
	})
	return pushDeleted(L, &res, o.Prev)
}

// watchable raises when the query reads only a part of its interval: a watch cannot.
func (q *query) watchable(L *lua.LState, op string) []etcdapi.Interval {
	plain := etcdapi.QueryOptions{Timeout: q.options.Timeout, Serializable: q.options.Serializable, PageSize: q.options.PageSize}
	if q.options != plain {
		invalid(L, op, "a query with options that read a part of its keys, or order them, cannot be watched")
	}
	return []etcdapi.Interval{q.interval}
}

func queryWatch(L *lua.LState) int {
	const op = "query:watch"
	q := runtime.Self[*query](L, op)
	var fn *lua.LFunction
	var o watchOptions
	runtime.Unpack(L, op, "fn", &fn, "opts?", &o)
	return q.m.startWatch(L, op, q.watchable(L, op), fn, &o)
}

func queryEvents(L *lua.LState) int {
	const op = "query:events"
	q := runtime.Self[*query](L, op)
	var o eventsOptions
	runtime.Unpack(L, op, "opts?", &o)
	return q.m.startEvents(L, op, q.watchable(L, op), &o)
}
