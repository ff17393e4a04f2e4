package etcd

import (
	"context"
	"errors"
	"time"

	lua "github.com/yuin/gopher-lua"

	"etcdlua/etcdapi"
	"etcdlua/runtime"
)

type getOptions struct {
	Revision     int64         `lua:"revision"`
	Serializable bool          `lua:"serializable"`
	Default      lua.LValue    `lua:"default"`
	Required     bool          `lua:"required"`
	Timeout      time.Duration `lua:"timeout"`
}

func (o *getOptions) api(L *lua.LState, op string) etcdapi.GetOptions {
	if o.Revision < 0 {
		invalid(L, op, "option revision must not be negative, but is %d", o.Revision)
	}
	return etcdapi.GetOptions{Revision: o.Revision, Serializable: o.Serializable, Timeout: o.Timeout}
}

// read is what get and kv share: one key, nil when it does not exist.
func (m *client) read(L *lua.LState, op string) (*etcdapi.KV, *getOptions) {
	var key string
	o := &getOptions{}
	runtime.Unpack(L, op, "key", &key, "opts?", o)
	if o.Required && o.Default != nil {
		invalid(L, op, "options required and default exclude each other")
	}
	api := o.api(L, op)
	var kv *etcdapi.KV
	m.do(L, op, func(ctx runtime.Ctx) (err error) {
		kv, err = m.c.Get(ctx, key, api)
		return err
	})
	if kv == nil && o.Required {
		runtime.Raise(L, &runtime.Error{
			Code: runtime.Code(etcdapi.CodeKeyNotFound), Op: op, Key: key,
			Message: op + ": there is no key " + quote(key),
		})
	}
	return kv, o
}

func (o *getOptions) missing() lua.LValue {
	if o.Default != nil {
		return o.Default
	}
	return lua.LNil
}

func (m *client) get(L *lua.LState) int {
	kv, o := m.read(L, "etcd.get")
	if kv == nil {
		L.Push(o.missing())
		return 1
	}
	L.Push(text(kv.Value))
	return 1
}

func (m *client) kv(L *lua.LState) int {
	kv, o := m.read(L, "etcd.kv")
	if kv == nil {
		L.Push(o.missing())
		return 1
	}
	L.Push(kvTable(L, kv))
	return 1
}

type getManyOptions struct {
	Revision     int64         `lua:"revision"`
	Serializable bool          `lua:"serializable"`
	Timeout      time.Duration `lua:"timeout"`
}

func (m *client) getMany(L *lua.LState) int {
	const op = "etcd.get_many"
	var keys []string
	var o getManyOptions
	runtime.Unpack(L, op, "keys", &keys, "opts?", &o)
	api := (&getOptions{Revision: o.Revision, Serializable: o.Serializable, Timeout: o.Timeout}).api(L, op)
	var kvs []*etcdapi.KV
	m.do(L, op, func(ctx runtime.Ctx) (err error) {
		if len(keys) > 0 {
			kvs, _, err = m.c.GetMany(ctx, keys, api)
		}
		return err
	})
	t := L.CreateTable(0, len(kvs))
	for i, kv := range kvs {
		if kv != nil {
			t.RawSetString(keys[i], text(kv.Value))
		}
	}
	L.Push(t)
	return 1
}

type waitOptions struct {
	Timeout time.Duration `lua:"timeout"`
}

// wait hands each value of the key to the predicate until it is true.
func (m *client) wait(L *lua.LState) int {
	const op = "etcd.wait"
	var key string
	var pred *lua.LFunction
	var o waitOptions
	if _, isTable := L.Get(2).(*lua.LTable); isTable { // no predicate
		L.Insert(lua.LNil, 2)
	}
	runtime.Unpack(L, op, "key", &key, "pred?", &pred, "opts?", &o)
	deadline := m.h.Clock.Now().Add(o.Timeout)
	left := func() time.Duration {
		if o.Timeout == 0 {
			return 0
		}
		return max(deadline.Sub(m.h.Clock.Now()), 1)
	}
	var w *etcdapi.Watch
	m.waitStep(L, op, key, o.Timeout, left(), func(ctx runtime.Ctx) (err error) {
		w, err = m.c.Watch(ctx, etcdapi.WatchOptions{Prefixes: []etcdapi.Interval{exactly(key)}, Initial: true})
		return err
	})
	defer m.closeWatch(L, w)
	for {
		var batch *etcdapi.Batch
		m.waitStep(L, op, key, o.Timeout, left(), func(ctx runtime.Ctx) (err error) {
			batch, err = w.Next(ctx)
			return err
		})
		for _, e := range batch.Events {
			if e.Type == etcdapi.EventPut && accepts(L, pred, text(e.KV.Value)) {
				L.Push(text(e.KV.Value))
				return 1
			}
		}
	}
}

func accepts(L *lua.LState, pred *lua.LFunction, value lua.LString) bool {
	if pred == nil {
		return true
	}
	L.Push(pred)
	L.Push(value)
	L.Call(1, 1)
	ok := lua.LVAsBool(L.Get(-1))
	L.Pop(1)
	return ok
}

// waitStep is one wait of etcd.wait, within what is left of its timeout.
func (m *client) waitStep(L *lua.LState, op, key string, whole, left time.Duration, f func(runtime.Ctx) error) {
	var expired bool
	err := m.h.Wait(L, func(ctx runtime.Ctx) error {
		bounded, cancel := m.bounded(ctx, left)
		defer cancel()
		err := f(bounded)
		expired = errors.Is(bounded.Err(), context.DeadlineExceeded) && ctx.Err() == nil
		return err
	})
	if err == nil {
		return
	}
	if expired && whole > 0 {
		err = &runtime.Error{
			Code: runtime.CodeTimeout, Op: op, Key: key, Retryable: true,
			Message: op + ": " + quote(key) + " was not as awaited within " + whole.String(),
		}
	}
	runtime.Raise(L, failure(op, err))
}

func (m *client) closeWatch(L *lua.LState, w *etcdapi.Watch) {
	_ = m.h.Wait(L, func(runtime.Ctx) error { w.Close(); return nil })
}

type setOptions struct {
	Lease         leaseID       `lua:"lease"`
	TTL           *int64        `lua:"ttl"`
	Prev          bool          `lua:"prev"`
	KeepLease     bool          `lua:"keep_lease"`
	KeepValue     bool          `lua:"keep_value"`
	Timeout       time.Duration `lua:"timeout"`
	IfAbsent      bool          `lua:"if_absent"`
	IfExists      bool          `lua:"if_exists"`
	IfModRevision *int64        `lua:"if_mod_revision"`
	IfValue       *string       `lua:"if_value"`
}

// leaseID is a lease as an argument: its id in hexadecimal.
type leaseID etcdapi.LeaseID

// UnpackLua reads a lease's id and says why a number cannot be one.
func (id *leaseID) UnpackLua(_ *lua.LState, v lua.LValue) error {
	switch v := v.(type) {
	case lua.LString:
		got, err := etcdapi.ParseLeaseID(string(v))
		if err != nil {
			return errors.New("must be a lease's id, up to 16 hexadecimal digits, not " + quote(string(v)))
		}
		*id = leaseID(got)
		return nil
	case lua.LNumber:
		return errors.New("must be a string: a lease's id has 64 bits, and a number would lose some of them")
	}
	return errors.New("must be a lease's id, a hexadecimal string")
}

func (m *client) set(L *lua.LState) int {
	const op = "etcd.set"
	var key string
	var value *string
	var o setOptions
	if L.Get(2) == lua.LNil { // only keep_value goes without a value
		runtime.Unpack(L, op, "key", &key, "value?", &value, "opts?", &o)
		if !o.KeepValue {
			runtime.Raise(L, runtime.Errorf(runtime.CodeInvalidArgument, op, "%s: value is nil", op).
				WithHint("to delete the key: etcd.delete(key); to leave its value as it is: {keep_value = true}"))
		}
		value = new(string)
	} else {
		runtime.Unpack(L, op, "key", &key, "value", &value, "opts?", &o)
		if o.KeepValue {
			invalid(L, op, "with option keep_value the value must be nil")
		}
	}
	api := o.api(L, op)
	var res etcdapi.PutResult
	m.do(L, op, func(ctx runtime.Ctx) (err error) {
		res, err = m.c.Put(ctx, key, *value, api)
		return err
	})
	if !res.Done {
		L.Push(lua.LNil)
		L.Push(kvTable(L, res.Current))
		return 2
	}
	L.Push(lua.LNumber(res.Revision))
	if o.Prev {
		L.Push(kvTable(L, res.Prev))
		return 2
	}
	return 1
}

func (o *setOptions) api(L *lua.LState, op string) etcdapi.PutOptions {
	api := etcdapi.PutOptions{
		Lease: etcdapi.LeaseID(o.Lease), PrevKV: o.Prev, KeepLease: o.KeepLease, KeepValue: o.KeepValue,
		IfAbsent: o.IfAbsent, IfExists: o.IfExists, IfModRevision: o.IfModRevision, IfValue: o.IfValue, Timeout: o.Timeout,
	}
	if o.TTL != nil {
		if *o.TTL < 1 {
			invalid(L, op, "option ttl must be at least 1 second, but is %d", *o.TTL)
		}
		api.TTL = *o.TTL
	}
	return api
}

type deleteOptions struct {
	Prev          bool          `lua:"prev"`
	IfModRevision *int64        `lua:"if_mod_revision"`
	IfValue       *string       `lua:"if_value"`
	Timeout       time.Duration `lua:"timeout"`
}

func (m *client) delete(L *lua.LState) int {
	const op = "etcd.delete"
	var key string
	var o deleteOptions
	runtime.Unpack(L, op, "key", &key, "opts?", &o)
	var res etcdapi.DeleteResult
	m.do(L, op, func(ctx runtime.Ctx) (err error) {
		res, err = m.c.Delete(ctx, key, etcdapi.DeleteOptions{
			PrevKV: o.Prev, IfModRevision: o.IfModRevision, IfValue: o.IfValue, Timeout: o.Timeout,
		})
		return err
	})
	if !res.Done {
		L.Push(lua.LNil)
		L.Push(kvTable(L, res.Current))
		return 2
	}
	return pushDeleted(L, &res, o.Prev)
}

func pushDeleted(L *lua.LState, res *etcdapi.DeleteResult, prev bool) int {
	L.Push(lua.LNumber(res.Deleted))
	if !prev {
		return 1
	}
	L.Push(kvList(L, res.Prev))
	return 2
}
