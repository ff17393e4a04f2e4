package runtime

import (
	"context"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// channel passes values between tasks. All of it is guarded by the turn; a waiter is
// handed its value by the other side, in the order of coming.
type channel struct {
	capacity int
	buffer   []lua.LValue
	senders  []*waiter
	takers   []*waiter
	closed   bool
}

// waiter is a task that waits at a channel or a mutex. Whoever serves it sets ok and
// closes c, with the turn held.
type waiter struct {
	value lua.LValue
	ok    bool
	c     chan struct{}
}

func (w *waiter) serve(ok bool) { w.ok = ok; close(w.c) }

func (w *waiter) served() bool {
	select {
	case <-w.c:
		return true
	default:
		return false
	}
}

// await waits until w is served, d passes (0: for ever) or the task is cancelled.
// A waiter that was served in the same moment counts as served.
func (h *Host) await(L *lua.LState, w *waiter, d time.Duration) error {
	err := h.Wait(L, func(ctx context.Context) error {
		if d > 0 {
			var cancel context.CancelFunc
			ctx, cancel = h.Clock.WithTimeout(ctx, d)
			defer cancel()
		}
		select {
		case <-w.c:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	if w.served() {
		return nil
	}
	return err
}

func remove(list []*waiter, w *waiter) []*waiter {
	for i := range list {
		if list[i] == w {
			return append(list[:i:i], list[i+1:]...)
		}
	}
	return list
}

func (m *taskModule) newChannelType() *Type[*channel] {
	t := NewType[*channel](m.h, "channel", Methods{"send": m.send, "recv": m.recv, "close": m.closeChannel})
	t.Meta("__call", func(L *lua.LState) int { // for v in ch do
		v, _, _ := m.take(L, Self[*channel](L, "channel:recv"), 0)
		L.Push(v)
		return 1
	})
	t.Meta("__len", func(L *lua.LState) int {
		L.Push(lua.LNumber(len(Self[*channel](L, "channel:send").buffer)))
		return 1
	})
	return t
}

func (m *taskModule) channel(L *lua.LState) int {
	var capacity int
	Unpack(L, "task.channel", "capacity?", &capacity)
	if capacity < 0 {
		Raisef(L, CodeInvalidArgument, "task.channel", "task.channel: capacity must not be negative, but is %d", capacity)
	}
	L.Push(m.channels.New(&channel{capacity: capacity}))
	return 1
}

func (m *taskModule) send(L *lua.LState) int {
	const name = "channel:send"
	ch := Self[*channel](L, name)
	var v lua.LValue
	Unpack(L, name, "value", &v)
	if v == lua.LNil {
		Raisef(L, CodeInvalidArgument, name, "channel:send: nil cannot be sent: it is what recv returns at the end")
	}
	if ch.closed {
		Raisef(L, CodeClosed, name, "channel:send: the channel is closed")
	}
	if len(ch.takers) > 0 {
		w := ch.takers[0]
		ch.takers = ch.takers[1:]
		w.value = v
		w.serve(true)
		return 0
	}
	if len(ch.buffer) < ch.capacity {
		ch.buffer = append(ch.buffer, v)
		return 0
	}
	w := &waiter{value: v, c: make(chan struct{})}
	ch.senders = append(ch.senders, w)
	if err := m.h.await(L, w, 0); err != nil {
		ch.senders = remove(ch.senders, w)
		Raise(L, err)
	}
	if !w.ok {
		Raisef(L, CodeClosed, name, "channel:send: the channel was closed before the value was taken")
	}
	return 0
}

func (m *taskModule) recv(L *lua.LState) int {
	ch := Self[*channel](L, "channel:recv")
	var timeout *time.Duration
	Unpack(L, "channel:recv", "timeout?", &timeout)
	var d time.Duration
	if timeout != nil {
		d = max(*timeout, 1) // 0 means "only what is there"
	}
	v, ok, why := m.take(L, ch, d)
	L.Push(v)
	L.Push(lua.LBool(ok))
	if ok {
		return 2
	}
	L.Push(lua.LString(why))
	return 3
}

// take returns the next value; ok is false when the channel is closed and empty, or
// nothing came in d.
func (m *taskModule) take(L *lua.LState, ch *channel, d time.Duration) (v lua.LValue, ok bool, why string) {
	if len(ch.buffer) > 0 {
		v, ch.buffer = ch.buffer[0], ch.buffer[1:]
		if len(ch.senders) > 0 { // the room goes to the first that waits for it
			w := ch.senders[0]
			ch.senders = ch.senders[1:]
			ch.buffer = append(ch.buffer, w.value)
			w.serve(true)
		}
		return v, true, ""
	}
	if len(ch.senders) > 0 {
		w := ch.senders[0]
		ch.senders = ch.senders[1:]
		w.serve(true)
		return w.value, true, ""
	}
	if ch.closed {
		return lua.LNil, false, "closed"
	}
	w := &waiter{value: lua.LNil, c: make(chan struct{})}
	ch.takers = append(ch.takers, w)
	if err := m.h.await(L, w, d); err != nil {
		ch.takers = remove(ch.takers, w)
		if contextOf(L).stop() {
			Raise(L, err)
		}
		return lua.LNil, false, "timeout"
	}
	if !w.ok {
		return lua.LNil, false, "closed"
	}
	return w.value, true, ""
}

func (m *taskModule) closeChannel(L *lua.LState) int {
	ch := Self[*channel](L, "channel:close")
	ch.closed = true
	for _, w := range ch.takers {
		w.serve(false)
	}
	for _, w := range ch.senders {
		w.serve(false)
	}
	ch.takers, ch.senders = nil, nil
	return 0
}

// mutex lets one task at a time through, in the order of coming.
type mutex struct {
	holder  *Task
	waiters []*waiter
}

func (m *taskModule) newMutex(L *lua.LState) int {
	Unpack(L, "task.mutex")
	L.Push(m.mutexes.New(&mutex{}))
	return 1
}

func (m *taskModule) with(L *lua.LState) int {
	mu := Self[*mutex](L, "mutex:with")
	fn := checkFunction(L, "mutex:with", "fn", 2)
	self := contextOf(L).task
	if mu.holder == self {
		Raisef(L, CodeBusy, "mutex:with", "mutex:with: this task holds the mutex already, and would wait for itself")
	}
	if err := m.h.lock(L, mu); err != nil {
		Raise(L, err)
	}
	defer mu.release() // also when fn raises, and when the task is cancelled in it
	L.Insert(fn, 1)
	L.Remove(2)
	L.Remove(2)
	args := L.GetTop() - 1
	L.Call(args, lua.MultRet)
	return L.GetTop()
}

// lock takes mu for the task of L, which must not hold it; an error is the cause of a cancel.
func (h *Host) lock(L *lua.LState, mu *mutex) error {
	if mu.holder != nil {
		w := &waiter{c: make(chan struct{})}
		mu.waiters = append(mu.waiters, w)
		if err := h.await(L, w, 0); err != nil {
			mu.waiters = remove(mu.waiters, w)
			return err
		}
	}
	mu.holder = contextOf(L).task
	return nil
}

// release hands the mutex to the first that waits. The holder stays set in between,
// so that nobody overtakes it.
func (mu *mutex) release() {
	if len(mu.waiters) == 0 {
		mu.holder = nil
		return
	}
	w := mu.waiters[0]
	mu.waiters = mu.waiters[1:]
	mu.holder = handedOver
	w.serve(true)
}

// handedOver stands for the waiter that was served and has not run yet.
var handedOver = &Task{}
