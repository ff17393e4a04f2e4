package runtime

import (
	"context"
	goruntime "runtime"
	"sync"

	lua "github.com/yuin/gopher-lua"
)

// turn is the lock that lets one task at a time touch Lua. It is handed over in
// the order of asking, so that no task starves, and it is never taken past a
// waiter.
type turn struct {
	mu     sync.Mutex
	held   bool
	holder *Task
	terms  uint64 // how often it was taken; the watchdog sees a stuck holder by it
	queue  []*Task
	head   int
}

func (t *turn) take(task *Task) {
	t.mu.Lock()
	if !t.held {
		t.held = true
		t.holder = task
		t.terms++
		t.mu.Unlock()
		return
	}
	t.queue = append(t.queue, task)
	t.mu.Unlock()
	<-task.wake
}

// ask queues for the turn without waiting; task.wake tells when it has it. A task is
// queued by whoever spawns it, so that tasks start in the order of spawning.
func (t *turn) ask(task *Task) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held {
		t.queue = append(t.queue, task)
		return
	}
	t.held, t.holder = true, task
	t.terms++
	task.wake <- struct{}{}
}

func (t *turn) give() {
	t.mu.Lock()
	t.terms++
	if t.head == len(t.queue) {
		t.held = false
		t.holder = nil
		t.queue = t.queue[:0]
		t.head = 0
		t.mu.Unlock()
		return
	}
	next := t.queue[t.head]
	t.queue[t.head] = nil
	t.head++
	if t.head >= 64 && t.head > len(t.queue)/2 { // mostly spent: move the rest down instead of growing
		n := copy(t.queue, t.queue[t.head:])
		clear(t.queue[n:])
		t.queue, t.head = t.queue[:n], 0
	}
	t.holder = next
	t.mu.Unlock()
	next.wake <- struct{}{}
}

// look reports who holds the turn and a number that changes with every change of hands.
func (t *turn) look() (holder *Task, terms uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.holder, t.terms
}

// Ctx is what a function that waits is handed.
type Ctx = context.Context

// Wait gives the turn away, runs f on the caller's goroutine, and takes the turn
// again. f must not touch Lua; its context ends when the calling task, or the scope
// that it is in, is cancelled. Wait returns f's error; when the task was cancelled
// meanwhile and f failed, it returns the cause of the cancel instead (lock_lost,
// timeout, cancelled).
func (h *Host) Wait(L *lua.LState, f func(ctx context.Context) error) (err error) {
	c := contextOf(L)
	marked := h.markBusy(L, c)
	h.flush()
	h.turn.give()
	defer func() {
		h.turn.take(c.task)
		if h.broken() { // a Go panic elsewhere: nothing of this state runs again
			goruntime.Goexit()
		}
		L.G.CurrentThread = L
		if marked {
			h.unmarkBusy(L, c)
		}
		if c.stop() && err != nil {
			err = c.cause()
		}
	}()
	return f(c.inner)
}

// markBusy marks the coroutines that are suspended in this wait, so that another
// task cannot resume them on top of it. Tasks outside coroutines pay nothing.
func (h *Host) markBusy(L *lua.LState, c *Context) bool {
	if L == c.task.thread {
		return false
	}
	for th := L; th != nil && th != c.task.thread; th = th.Parent {
		h.busy[th] = struct{}{}
	}
	return true
}

func (h *Host) unmarkBusy(L *lua.LState, c *Context) {
	for th := L; th != nil && th != c.task.thread; th = th.Parent {
		delete(h.busy, th)
	}
}

// takeBefore takes the turn unless ctx ends first; it reports whether it did.
func (t *turn) takeBefore(ctx context.Context, task *Task) bool {
	got := make(chan struct{})
	go func() {
		t.take(task)
		close(got)
	}()
	select {
	case <-got:
		return true
	case <-ctx.Done():
		go func() { <-got; t.give() }() // ends with the holder; a stuck one is stuck anyway
		return false
	}
}
