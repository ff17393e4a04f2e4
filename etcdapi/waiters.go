package etcdapi

import "time"

// sender is a slot. Whoever has it may send, with its messages, which are made when first needed.
type sender struct {
	reads *reads
	batch []*waiter
	extra bool
}

// waiter is a get that waits for another caller. What happens to it is decided under coalescer.mu.
type waiter struct {
	key   string
	wake  chan struct{} // receives one thing, once settled
	timer *time.Timer

	state      waiterState
	prev, next *waiter // in the queue

	kv    *KV   // with state answered
	leads batch // with state leading
}

type waiterState int

const (
	queued    waiterState = iota // waits in the queue
	sent                         // waits in a batch
	abandoned                    // its caller has left
	answered                     // kv is set, and wake was told
	leading                      // leads is set, and wake was told
)

// batch is gets that travel together. Its leader is the first of them.
type batch struct {
	gets   []*waiter
	sender *sender // nil for the half of a batch that failed: its other half has the slot
}

// waiters is a queue, first come first served, which any of its members may leave.
type waiters struct {
	first, last *waiter
	n           int
}

func (l *waiters) push(w *waiter) {
	w.prev, w.next = l.last, nil
	if l.last == nil {
		l.first = w
	} else {
		l.last.next = w
	}
	l.last = w
	l.n++
}

func (l *waiters) pop() *waiter {
	w := l.first
	if w != nil {
		l.remove(w)
	}
	return w
}

func (l *waiters) remove(w *waiter) {
	if w.prev == nil {
		l.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		l.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.prev, w.next = nil, nil
	l.n--
}
