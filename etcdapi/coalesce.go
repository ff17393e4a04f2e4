package etcdapi

import (
	"context"
	"slices"
	"sync"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The coalescer lets linearizable gets that are under way at once share requests.
//
// A get that finds one of two slots free sends its own Range at once, on its caller's stack. One that
// does not, waits in a queue. Whoever comes back with an answer takes what waits there by then, at most
// 48 gets, and hands them with its slot to the first of them, which becomes the leader of that batch: it
// sends one read-only transaction for all, on its own stack and its own context, and hands each its
// answer. So nothing is ever delayed for company, and no goroutine is started. While a crowd waits there
// are two more slots: who joins the crowd takes one, and leads a batch of those in front.
//
// A linearizable read sees every write that was acknowledged before the read began. A get joins a batch
// only before that batch is sent, so what it gets is as new as what it would have got alone.
//
// Every get waits with its own context and deadline, and goes alone when it has waited for long: a
// request that is stuck on a frozen member holds up nobody else. One that gives up leaves; a leader that gives up
// while its request is under way (which ends the request) hands the batch to the next of those who
// still wait, who sends it again: they are reads. What fails for a reason of the server's may be the
// fault of one key (permission denied fails a whole transaction, and so does a receive limit): the batch
// is split in halves, again and again, until a key that fails alone fails only its own caller.
//
// A key whose value was large, or that failed in a batch, travels alone until it has been read alone
// without either: a batch is to be answered quickly.
const (
	batchSlots = 2        // with one, 256 callers lose a third of the rate; with eight, 64 do
	extraSlots = 2        // open while a crowd waits: 256 callers gain a tenth, 64 never see them
	crowd      = 96       // as many waiting get an extra slot; half as many keep it
	batchMost  = 48       // of a hundred waiting, two slots share; with 128 one would take them all
	largeValue = 64 << 10 // so a batch of known keys has 3 MiB at most
	patience   = 500 * time.Millisecond
	aloneMost  = 1024 // keys that are remembered to travel alone
)

type coalescer struct {
	c    *Client
	most int // gets in a batch

	mu    sync.Mutex
	slots []*sender // free ones
	extra []*sender // free ones, for a crowd
	queue waiters
	alone map[string]struct{} // keys that travel alone; bounded, an arbitrary one is forgotten

	spare sync.Pool // of *waiter
}

func newCoalescer(c *Client) *coalescer {
	q := &coalescer{c: c, most: min(batchMost, c.config.MaxTxnOps), alone: map[string]struct{}{}}
	for range batchSlots {
		q.slots = append(q.slots, &sender{})
	}
	for range extraSlots {
		q.extra = append(q.extra, &sender{extra: true})
	}
	q.spare.New = func() any { return &waiter{wake: make(chan struct{}, 1)} }
	return q
}

// get reads key, with others or alone.
func (q *coalescer) get(ctx context.Context, key string, timeout time.Duration) (*KV, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	q.mu.Lock()
	if len(q.alone) > 0 {
		if _, alone := q.alone[key]; alone {
			q.mu.Unlock()
			return q.getAlone(ctx, key, timeout)
		}
	}
	if n := len(q.slots); n > 0 {
		s := q.slots[n-1]
		q.slots = q.slots[:n-1]
		q.mu.Unlock()
		defer q.release(s)
		return q.getOne(ctx, key, timeout)
	}
	w := q.spare.Get().(*waiter)
	w.key, w.state = key, queued
	if n := len(q.extra); n > 0 && q.queue.n >= crowd {
		s := q.extra[n-1]
		q.extra = q.extra[:n-1]
		w.state = leading
		b := q.take(s, append(s.batch[:0], w))
		q.mu.Unlock()
		defer q.spare.Put(w)
		return q.lead(ctx, b, time.Now().Add(timeout))
	}
	q.queue.push(w)
	q.mu.Unlock()
	return q.wait(ctx, w, timeout)
}

// getOne is a plain request for a key.
func (q *coalescer) getOne(ctx context.Context, key string, timeout time.Duration) (*KV, error) {
	l := newLimit(ctx, timeout)
	defer l.end()
	kv, _, err := q.c.rangeOne(l.ctx, key, GetOptions{})
	if large(kv) {
		q.mu.Lock()
		q.remember(key)
		q.mu.Unlock()
	}
	return kv, l.explain(err)
}

// getAlone is the same for a key that is remembered, which it forgets when all goes well.
func (q *coalescer) getAlone(ctx context.Context, key string, timeout time.Duration) (*KV, error) {
	l := newLimit(ctx, timeout)
	defer l.end()
	kv, _, err := q.c.rangeOne(l.ctx, key, GetOptions{})
	if err == nil && !large(kv) {
		q.mu.Lock()
		delete(q.alone, key)
		q.mu.Unlock()
	}
	return kv, l.explain(err)
}

func large(kv *KV) bool { return kv != nil && len(kv.Value) > largeValue }

// remember lets a key travel alone from now on; q.mu is held.
func (q *coalescer) remember(key string) {
	if len(q.alone) >= aloneMost {
		for other := range q.alone {
			delete(q.alone, other)
			break
		}
	}
	q.alone[key] = struct{}{}
}

// wait waits until the get is answered, is to lead, or gives up.
func (q *coalescer) wait(ctx context.Context, w *waiter, timeout time.Duration) (*KV, error) {
	deadline := time.Now().Add(timeout)
	first := min(patience, timeout)
	if w.timer == nil {
		w.timer = time.NewTimer(first)
	} else {
		w.timer.Reset(first)
	}
	defer w.timer.Stop()
	select {
	case <-w.wake:
	case <-ctx.Done():
		if q.abandon(w) {
			return nil, ctx.Err()
		}
		<-w.wake
	case <-w.timer.C:
		if q.abandon(w) {
			return q.getOne(ctx, w.key, time.Until(deadline))
		}
		<-w.wake
	}
	kv, b := w.kv, w.leads
	w.kv, w.leads = nil, batch{}
	if w.state == answered {
		q.spare.Put(w)
		return kv, nil
	}
	defer q.spare.Put(w)
	return q.lead(ctx, b, deadline)
}

// abandon tells that w leaves, unless it has been settled already, which its wake channel tells at once.
func (q *coalescer) abandon(w *waiter) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch w.state {
	case queued:
		q.queue.remove(w)
	case sent:
	default:
		return false
	}
	w.state = abandoned
	return true
}

// release gives a slot to what waits, or back.
func (q *coalescer) release(s *sender) {
	q.mu.Lock()
	q.next(s)
}

// next does, with q.mu held, which it releases.
func (q *coalescer) next(s *sender) {
	if s.extra && q.queue.n < crowd/2 {
		q.free(s)
		q.mu.Unlock()
		return
	}
	q.hand(q.take(s, s.batch[:0]))
}

// take fills a batch of the sender's from the queue; q.mu is held.
func (q *coalescer) take(s *sender, gets []*waiter) batch {
	for len(gets) < q.most && q.queue.n > 0 {
		w := q.queue.pop()
		w.state = sent
		gets = append(gets, w)
	}
	s.batch = gets
	return batch{gets: gets, sender: s}
}

// free puts a slot back; q.mu is held.
func (q *coalescer) free(s *sender) {
	if s.extra {
		q.extra = append(q.extra, s)
	} else {
		q.slots = append(q.slots, s)
	}
}

// hand makes the first of a batch who still waits its leader, with q.mu held, which it releases. Nobody
// left: the slot is free.
func (q *coalescer) hand(b batch) {
	kept := b.gets[:0]
	for _, w := range b.gets {
		if w.state == sent {
			kept = append(kept, w)
		}
	}
	b.gets = kept
	switch {
	case len(b.gets) > 0:
		w := b.gets[0]
		w.state, w.leads = leading, b
		q.mu.Unlock()
		w.wake <- struct{}{}
	case b.sender != nil:
		q.free(b.sender)
		q.mu.Unlock()
	default:
		q.mu.Unlock()
	}
}

// lead sends a batch, whose first get is the caller's own, until that one has its answer. The others
// have theirs by then, or another leader.
func (q *coalescer) lead(ctx context.Context, b batch, deadline time.Time) (*KV, error) {
	l := newLimit(ctx, time.Until(deadline))
	defer l.end()
	for len(b.gets) > 1 {
		resp, err := q.send(l.ctx, b)
		switch {
		case err == nil:
			return q.settle(b, resp), nil
		case l.ctx.Err() != nil:
			q.mu.Lock()
			q.hand(b)
			return nil, l.explain(err)
		}
		b = q.split(b)
	}
	if b.sender != nil {
		defer q.release(b.sender)
	}
	kv, err := q.getLast(l.ctx, b.gets[0].key)
	return kv, l.explain(err)
}

// send asks for a whole batch.
func (q *coalescer) send(ctx context.Context, b batch) (*pb.TxnResponse, error) {
	var r *reads
	if b.sender == nil {
		r = newReads(len(b.gets))
	} else {
		if b.sender.reads == nil {
			b.sender.reads = newReads(q.most)
		}
		r = b.sender.reads
		r.reset()
	}
	for _, w := range b.gets {
		r.add([]byte(w.key))
	}
	return q.c.readTxn(ctx, r.request())
}

// settle hands everybody their answer, the slot to the next batch, and returns the leader's own answer.
// The next leader is woken last: so it is the next to run.
func (q *coalescer) settle(b batch, resp *pb.TxnResponse) *KV {
	q.mu.Lock()
	for i, w := range b.gets {
		kv := first(resp.Responses[i].GetResponseRange())
		if large(kv) {
			q.remember(w.key)
		}
		if w.state == sent {
			w.state, w.kv = answered, kv
			w.wake <- struct{}{}
		}
	}
	if b.sender != nil {
		q.next(b.sender)
	} else {
		q.mu.Unlock()
	}
	return first(resp.Responses[0].GetResponseRange())
}

// split keeps the first half of a batch that failed and gives the second half, without the slot, to a
// leader of its own.
func (q *coalescer) split(b batch) batch {
	half := len(b.gets) / 2
	second := batch{gets: slices.Clone(b.gets[half:])} // the slot's own slice is soon used again
	b.gets = b.gets[:half]
	q.mu.Lock()
	q.hand(second)
	return b
}

// getLast reads the key that is left of a batch that failed. If it was the cause it travels alone from now on.
func (q *coalescer) getLast(ctx context.Context, key string) (*KV, error) {
	kv, _, err := q.c.rangeOne(ctx, key, GetOptions{})
	if err != nil && ctx.Err() == nil && status.Code(err) != codes.Unavailable || large(kv) {
		q.mu.Lock()
		q.remember(key)
		q.mu.Unlock()
	}
	return kv, err
}
