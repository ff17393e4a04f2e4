// Package etcd is the module etcd: the client of etcdapi as scripts see it.
//
// Each function is read off its arguments, then one wait on the client, then its
// result: nothing here talks to etcd with the turn held. What the functions promise
// is in etcd.lua, beside the code.
package etcd

import (
	_ "embed" // the types file
	"errors"
	"time"
	"unsafe"

	lua "github.com/yuin/gopher-lua"

	"etcdlua/etcdapi"
	"etcdlua/runtime"
)

//go:embed etcd.lua
var types string

// Module is the module etcd on an open client. The client stays its maker's to close,
// after the host has run.
func Module(c *etcdapi.Client) runtime.Module {
	return runtime.Module{Name: "etcd", Types: types, Open: func(h *runtime.Host) lua.LValue {
		return newClient(h, c)
	}}
}

// client is one etcd client as a table of functions.
type client struct {
	h       *runtime.Host
	c       *etcdapi.Client
	kvs     *runtime.Type[*etcdapi.KV]
	queries *runtime.Type[*query]
	watches *runtime.Type[*watch]
	streams *runtime.Type[*stream]
}

func newClient(h *runtime.Host, c *etcdapi.Client) lua.LValue {
	m := &client{h: h, c: c}
	m.kvs = newKVType(h)
	m.queries = m.newQueryType()
	m.watches = m.newWatchType()
	m.streams = m.newStreamType()
	return h.NewModule("etcd", runtime.Methods{
		"get": m.get, "kv": m.kv, "get_many": m.getMany, "wait": m.wait,
		"set": m.set, "delete": m.delete,
		"range": m.rangeQuery, "prefix": m.prefixQuery,
		"status": m.status, "watch": m.watch, "events": m.events,
	})
}

// do waits for f and raises its error as op's.
func (m *client) do(L *lua.LState, op string, f func(ctx runtime.Ctx) error) {
	if err := m.h.Wait(L, f); err != nil {
		runtime.Raise(L, failure(op, err))
	}
}

// failure is an error of the client as scripts see it.
func failure(op string, err error) error {
	var e *etcdapi.Error
	if !errors.As(err, &e) {
		return err
	}
	return &runtime.Error{
		Code: runtime.Code(e.Code), Op: op, Key: e.Key, Message: e.Message, Hint: e.Hint,
		Outcome: string(e.Outcome), Retryable: e.Retryable, Err: err,
	}
}

func invalid(L *lua.LState, op, format string, args ...any) {
	runtime.Raisef(L, runtime.CodeInvalidArgument, op, op+": "+format, args...)
}

// text makes a Lua string of bytes without copying them: a KV's are never changed.
func text(b []byte) lua.LString {
	return lua.LString(unsafe.String(unsafe.SliceData(b), len(b)))
}

func leaseText(id int64) lua.LValue {
	if id == 0 {
		return lua.LNil
	}
	return lua.LString(etcdapi.LeaseID(id).String())
}

// kvFields are the fields of a kv in the order of the contract.
var kvFields = []string{"key", "value", "version", "create_revision", "mod_revision", "lease"}

// newKVType makes the kv of a loop: an object whose fields are built when looked at.
func newKVType(h *runtime.Host) *runtime.Type[*etcdapi.KV] {
	t := runtime.NewType[*etcdapi.KV](h, "kv", nil)
	t.Keys = kvFields
	t.Field = func(_ *lua.LState, kv *etcdapi.KV, name string) lua.LValue {
		switch name {
		case "key":
			return text(kv.Key)
		case "value":
			return text(kv.Value)
		case "version":
			return lua.LNumber(kv.Version)
		case "create_revision":
			return lua.LNumber(kv.CreateRevision)
		case "mod_revision":
			return lua.LNumber(kv.ModRevision)
		case "lease":
			return leaseText(kv.Lease)
		}
		return lua.LNil
	}
	return t
}

// kvTable is a kv as a plain table, nil for none.
func kvTable(L *lua.LState, kv *etcdapi.KV) lua.LValue {
	if kv == nil {
		return lua.LNil
	}
	t := L.CreateTable(0, len(kvFields))
	t.RawSetString("key", text(kv.Key))
	t.RawSetString("value", text(kv.Value))
	t.RawSetString("version", lua.LNumber(kv.Version))
	t.RawSetString("create_revision", lua.LNumber(kv.CreateRevision))
	t.RawSetString("mod_revision", lua.LNumber(kv.ModRevision))
	if kv.Lease != 0 {
		t.RawSetString("lease", leaseText(kv.Lease))
	}
	return t
}

func kvList(L *lua.LState, kvs []*etcdapi.KV) *lua.LTable {
	t := L.CreateTable(len(kvs), 0)
	for i, kv := range kvs {
		t.RawSetInt(i+1, kvTable(L, kv))
	}
	return t
}

func (m *client) status(L *lua.LState) int {
	const op = "etcd.status"
	var endpoint string
	runtime.Unpack(L, op, "endpoint?", &endpoint)
	var s *etcdapi.Status
	m.do(L, op, func(ctx runtime.Ctx) (err error) {
		s, err = m.c.Status(ctx, endpoint)
		return err
	})
	L.Push(statusTable(L, s))
	return 1
}

func statusTable(L *lua.LState, s *etcdapi.Status) *lua.LTable {
	t := L.CreateTable(0, 15)
	for name, v := range map[string]any{
		"endpoint": s.Endpoint, "version": s.Version, "storage_version": s.StorageVersion, "revision": s.Revision,
		"db_size": s.DBSize, "db_size_in_use": s.DBSizeInUse, "db_size_quota": s.DBSizeQuota,
		"leader": s.Leader, "is_leader": s.IsLeader, "is_learner": s.IsLearner,
		"member_id": s.MemberID, "cluster_id": s.ClusterID,
		"raft_term": s.RaftTerm, "raft_index": s.RaftIndex, "raft_applied_index": s.RaftAppliedIndex, "errors": s.Errors,
	} {
		t.RawSetString(name, runtime.FromGo(L, v))
	}
	return t
}

// bounded derives a context for a wait that has a timeout of its own; 0 is none.
func (m *client) bounded(ctx runtime.Ctx, d time.Duration) (runtime.Ctx, func()) {
	if d <= 0 {
		return ctx, func() {}
	}
	return m.h.Clock.WithTimeout(ctx, d)
}
