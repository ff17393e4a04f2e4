package etcd

import (
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"

	"etcdlua/etcdapi"
	"etcdlua/runtime"
)

// eventsOptions are those of etcd.events; etcd.watch has more.
type eventsOptions struct {
	Exact        bool   `lua:"exact"`
	FromRevision int64  `lua:"from_revision"`
	Initial      bool   `lua:"initial"`
	Prev         bool   `lua:"prev"`
	Filter       string `lua:"filter"`
	MaxBacklog   int    `lua:"max_backlog"`
}

type watchOptions struct {
	eventsOptions
	Batch bool         `lua:"batch"`
	Retry retryOptions `lua:"retry"`
}

// retryOptions say how often an event whose handler raises is handed out again.
type retryOptions struct {
	Attempts *int64         `lua:"attempts"`
	Min      *time.Duration `lua:"min"`
	Max      *time.Duration `lua:"max"`
}

const (
	defaultAttempts = 5
	defaultRetryMin = 100 * time.Millisecond
	defaultRetryMax = 30 * time.Second
)

// watch is a running watch with a handler: a task that takes batches off the client's
// watch and calls the handler.
type watch struct {
	m         *client
	op        string
	w         *etcdapi.Watch
	task      *runtime.Task
	fn        *lua.LFunction
	batch     bool
	withEvent bool // the handler looks at its third parameter
	attempts  int
	backoff   struct{ min, max time.Duration }

	cancelled bool
	synced    chan struct{} // closed when the initial keys were handled
}

func (m *client) newWatchType() *runtime.Type[*watch] {
	return runtime.NewType[*watch](m.h, "watch", runtime.Methods{
		"cancel": watchCancel, "wait": watchWait, "synced": watchSynced,
		"revision": watchRevision, "lag": watchLag, "name": watchName,
	})
}

func (m *client) watch(L *lua.LState) int {
	const op = "etcd.watch"
	var prefixes []string
	var fn *lua.LFunction
	var o watchOptions
	runtime.Unpack(L, op, "prefixes", &prefixes, "fn", &fn, "opts?", &o)
	return m.startWatch(L, op, intervals(L, op, prefixes, o.Exact), fn, &o)
}

// intervals turns prefixes, or with exact keys, into what the client watches.
func intervals(L *lua.LState, op string, names []string, exact bool) []etcdapi.Interval {
	if len(names) == 0 {
		invalid(L, op, "the list of prefixes is empty")
	}
	list := make([]etcdapi.Interval, len(names))
	for i, name := range names {
		switch {
		case !exact:
			list[i] = etcdapi.PrefixInterval(name)
		case name == "":
			invalid(L, op, "with option exact a key must not be empty")
		default:
			list[i] = exactly(name)
		}
	}
	return list
}

func exactly(key string) etcdapi.Interval { return etcdapi.RangeInterval(key, key+"\x00") }

func (o *eventsOptions) api(L *lua.LState, op string, list []etcdapi.Interval) etcdapi.WatchOptions {
	switch {
	case o.FromRevision < 0:
		invalid(L, op, "option from_revision must not be negative, but is %d", o.FromRevision)
	case o.FromRevision > 0 && o.Initial:
		invalid(L, op, "options initial and from_revision exclude each other: initial starts with what is there now")
	case o.Filter != "" && o.Filter != "put" && o.Filter != "delete":
		invalid(L, op, `option filter must be "put" or "delete", not %q`, o.Filter)
	case o.MaxBacklog < 0:
		invalid(L, op, "option max_backlog must not be negative, but is %d", o.MaxBacklog)
	}
	return etcdapi.WatchOptions{
		Prefixes: list, FromRevision: o.FromRevision, PrevKV: o.Prev, Filter: o.Filter,
		Initial: o.Initial, MaxBacklogEvents: o.MaxBacklog,
	}
}

func (m *client) startWatch(L *lua.LState, op string, list []etcdapi.Interval, fn *lua.LFunction, o *watchOptions) int {
	w := &watch{m: m, op: op, fn: fn, batch: o.Batch, synced: make(chan struct{})}
	w.withEvent = !o.Batch && looksAt(fn, 3)
	w.setRetry(L, &o.Retry)
	api := o.api(L, op, list)
	m.do(L, op, func(ctx runtime.Ctx) (err error) {
		w.w, err = m.c.Watch(ctx, api)
		return err
	})
	if !o.Initial {
		close(w.synced)
	}
	w.task = m.h.SpawnGo(L, runtime.SpawnOptions{Name: "watch " + names(list)}, w.run)
	L.Push(m.watches.New(w))
	return 1
}

// looksAt reports whether fn can see its nth argument: it declares that many
// parameters, or takes any number. What it cannot see is not built.
func looksAt(fn *lua.LFunction, n uint8) bool {
	return fn.IsG || fn.Proto.IsVarArg != 0 || fn.Proto.NumParameters >= n
}

func names(list []etcdapi.Interval) string {
	parts := make([]string, len(list))
	for i, iv := range list {
		parts[i] = quote(iv.From)
	}
	return strings.Join(parts, ", ")
}

func (w *watch) setRetry(L *lua.LState, o *retryOptions) {
	w.attempts, w.backoff.min, w.backoff.max = defaultAttempts, defaultRetryMin, defaultRetryMax
	if o.Attempts != nil {
		w.attempts = int(atLeastOne(L, w.op, "retry.attempts", o.Attempts))
	}
	if o.Min != nil {
		w.backoff.min = *o.Min
	}
	if o.Max != nil {
		w.backoff.max = *o.Max
	}
	if w.backoff.min > w.backoff.max {
		invalid(L, w.op, "option retry: min %s is more than max %s", w.backoff.min, w.backoff.max)
	}
}

// run is the watch's task: one turn for a whole batch, the handler for each event.
func (w *watch) run(L *lua.LState) error {
	defer w.m.closeWatch(L, w.w)
	for {
		var batch *etcdapi.Batch
		err := w.m.h.Wait(L, func(ctx runtime.Ctx) (err error) {
			batch, err = w.w.Next(ctx)
			return err
		})
		if w.cancelled {
			return nil
		}
		if err != nil {
			return failure(w.op, err)
		}
		if err := w.handle(L, batch); err != nil || w.cancelled {
			return err
		}
		if batch.Synced {
			close(w.synced)
		}
	}
}

func (w *watch) handle(L *lua.LState, batch *etcdapi.Batch) error {
	if w.batch {
		return w.handleRevisions(L, batch)
	}
	for i := range batch.Events {
		e := &batch.Events[i]
		if err := w.call(L, e); err != nil {
			if err = w.retry(L, err, func() error { return w.redeliver(L, e) }); err != nil {
				return err
			}
		}
		if w.cancelled {
			return nil
		}
	}
	return nil
}

// call hands one event to the handler, building only what it looks at.
func (w *watch) call(L *lua.LState, e *etcdapi.Event) error {
	key, value := text(e.KV.Key), lua.LValue(lua.LNil)
	if e.Type == etcdapi.EventPut {
		value = text(e.KV.Value)
	}
	if !w.withEvent {
		return w.m.h.CallHandler(L, w.fn, key, value)
	}
	return w.m.h.CallHandler(L, w.fn, key, value, eventTable(L, e))
}

func (w *watch) redeliver(L *lua.LState, e *etcdapi.Event) error {
	event := eventTable(L, e)
	event.RawSetString("redelivered", lua.LTrue)
	return w.m.h.CallHandler(L, w.fn, event.RawGetString("key"), event.RawGetString("value"), event)
}

// handleRevisions hands all events of one revision to the handler together.
func (w *watch) handleRevisions(L *lua.LState, batch *etcdapi.Batch) error {
	for rest := batch.Events; len(rest) > 0 && !w.cancelled; {
		n := sameRevision(rest)
		events, revision := rest[:n], rest[0].KV.ModRevision
		rest = rest[n:]
		call := func(again bool) error {
			list := L.CreateTable(n, 0)
			for i := range events {
				event := eventTable(L, &events[i])
				if again {
					event.RawSetString("redelivered", lua.LTrue)
				}
				list.RawSetInt(i+1, event)
			}
			return w.m.h.CallHandler(L, w.fn, list, lua.LNumber(revision))
		}
		err := call(false)
		if err != nil {
			err = w.retry(L, err, func() error { return call(true) })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// retry hands an event out again, after a growing pause, as long as attempts are
// left. Errors of etcd that pass by themselves cost no attempt.
func (w *watch) retry(L *lua.LState, err error, again func() error) error {
	pause := w.backoff.min
	for attempt := 1; attempt < w.attempts; {
		if w.cancelled {
			return nil
		}
		if L.Context().Err() != nil { // the program or the task ends: the handler did not fail by itself
			return err
		}
		w.m.h.Log.Warn("a watch's handler failed and will be called again",
			"watch", w.op, "error", err.Error(), "in", pause.String(), "attempt", attempt)
		w.m.h.Sleep(L, jittered(pause))
		pause = min(pause*2, w.backoff.max)
		if err = again(); err == nil {
			return nil
		}
		var e *runtime.Error
		if !errors.As(err, &e) || !e.Retryable {
			attempt++
		}
	}
	return err
}

// jittered spreads a pause over its second half, so that many watches that failed
// together do not come back together.
func jittered(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) }

// watchCancel lets a handler call that is running come to its end: it may be the one
// that cancels.
func watchCancel(L *lua.LState) int {
	w := runtime.Self[*watch](L, "watch:cancel")
	runtime.Unpack(L, "watch:cancel")
	w.cancelled = true
	w.m.closeWatch(L, w.w)
	return 0
}

func watchWait(L *lua.LState) int {
	w := runtime.Self[*watch](L, "watch:wait")
	runtime.Unpack(L, "watch:wait")
	if _, err := w.m.h.Join(L, w.task); err != nil {
		runtime.Raise(L, err)
	}
	return 0
}

func watchSynced(L *lua.LState) int {
	const op = "watch:synced"
	w := runtime.Self[*watch](L, op)
	runtime.Unpack(L, op)
	w.m.do(L, op, func(ctx runtime.Ctx) error {
		select {
		case <-w.synced:
			return nil
		case <-w.task.Done():
			return runtime.Errorf(runtime.CodeClosed, op, "watch:synced: the watch has ended before the existing keys were handled")
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	return 0
}

func watchRevision(L *lua.LState) int {
	w := runtime.Self[*watch](L, "watch:revision")
	runtime.Unpack(L, "watch:revision")
	L.Push(lua.LNumber(w.w.Handled()))
	return 1
}

func watchLag(L *lua.LState) int {
	const op = "watch:lag"
	w := runtime.Self[*watch](L, op)
	runtime.Unpack(L, op)
	var lag int64
	w.m.do(L, op, func(ctx runtime.Ctx) (err error) {
		lag, err = w.w.Lag(ctx)
		return err
	})
	L.Push(lua.LNumber(lag + w.w.Revision() - w.w.Handled()))
	return 1
}

func watchName(L *lua.LState) int {
	runtime.Self[*watch](L, "watch:name")
	runtime.Unpack(L, "watch:name")
	L.Push(lua.LNil) // only a durable watch has one
	return 1
}
