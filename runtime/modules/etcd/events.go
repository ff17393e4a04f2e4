package etcd

import (
	goruntime "runtime"

	lua "github.com/yuin/gopher-lua"

	"etcdlua/etcdapi"
	"etcdlua/runtime"
)

// stream is a pulled iterator of events: no task, the caller waits for the next one.
type stream struct {
	m      *client
	op     string
	w      *etcdapi.Watch
	events []etcdapi.Event
	closed bool
}

func (m *client) newStreamType() *runtime.Type[*stream] {
	t := runtime.NewType[*stream](m.h, "events", runtime.Methods{"close": streamClose})
	t.Meta("__call", func(L *lua.LState) int { return runtime.Self[*stream](L, "events:close").next(L) })
	return t
}

func (m *client) events(L *lua.LState) int {
	const op = "etcd.events"
	var prefixes []string
	var o eventsOptions
	runtime.Unpack(L, op, "prefixes", &prefixes, "opts?", &o)
	return m.startEvents(L, op, intervals(L, op, prefixes, o.Exact), &o)
}

func (m *client) startEvents(L *lua.LState, op string, list []etcdapi.Interval, o *eventsOptions) int {
	s := &stream{m: m, op: op}
	api := o.api(L, op, list)
	m.do(L, op, func(ctx runtime.Ctx) (err error) {
		s.w, err = m.c.Watch(ctx, api)
		return err
	})
	// A loop that was left by break never says close. The collector may find it;
	// closing the client ends what it does not.
	goruntime.AddCleanup(s, func(w *etcdapi.Watch) { go w.Close() }, s.w)
	L.Push(m.streams.New(s))
	return 1
}

// next returns the next event, nil once the iterator was closed.
func (s *stream) next(L *lua.LState) int {
	for len(s.events) == 0 && !s.closed {
		var batch *etcdapi.Batch
		err := s.m.h.Wait(L, func(ctx runtime.Ctx) (err error) {
			batch, err = s.w.Next(ctx)
			return err
		})
		if s.closed { // by another task, while this one waited
			break
		}
		if err != nil {
			runtime.Raise(L, failure(s.op, err))
		}
		s.events = batch.Events
	}
	if s.closed {
		L.Push(lua.LNil)
		return 1
	}
	L.Push(eventTable(L, &s.events[0]))
	s.events = s.events[1:]
	return 1
}

func streamClose(L *lua.LState) int {
	s := runtime.Self[*stream](L, "events:close")
	runtime.Unpack(L, "events:close")
	s.closed = true
	s.m.closeWatch(L, s.w)
	return 0
}
