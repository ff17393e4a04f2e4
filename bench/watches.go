package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const watchPrefix = "/bench/watch/"

// watchScript counts live events. bench.start has the writer begin.
const watchScript = `
local prefix, want = args[1], tonumber(args[2])
local n, w = 0, nil
w = etcd.watch(prefix, function(key, value)
  n = n + 1
  if n == want then
    bench.stop()
    w:cancel()
  end
end)
bench.start()
`

// benchWatch counts live events; a writer in a process of its own sets the pace.
func benchWatch(b *bench) error {
	n := b.count(20_000)
	return b.withClients(func(s *scripts, c *clientv3.Client) error {
		writer, err := b.start("writer", s.endpoint, watchPrefix)
		if err != nil {
			return err
		}
		got, err := measureWatch(b, s, c, writer, n)
		if err = errors.Join(err, writer.stop()); err != nil {
			return err
		}
		b.compare(got, comparison{fmt.Sprintf("%d live watch events to `function(key, value)`", n), atLeast(0.95), rates, "watch", "clientv3-watch", perSecond(n)})
		return nil
	})
}

func measureWatch(b *bench, s *scripts, c *clientv3.Client, writer *process, n int) (figures, error) {
	var failed error
	s.onStart = func() { failed = writer.ask(n) }
	defer func() { s.onStart = nil }()
	return b.measure(append(plain("clientv3-watch", func() (float64, error) {
		took, err := goWatch(b.ctx, c, writer, n)
		if err != nil {
			return 0, err
		}
		return took, writer.answer()
	}), ours("watch", func() (float64, error) {
		took, err := s.run(watchScript, watchPrefix, text(n))
		if err == nil {
			err = failed
		}
		if err != nil {
			return 0, err
		}
		return took, writer.answer()
	})))
}

func goWatch(ctx context.Context, c *clientv3.Client, writer *process, want int) (float64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	events := c.Watch(ctx, watchPrefix, clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	<-events
	return timed(func() error {
		if err := writer.ask(want); err != nil {
			return err
		}
		n := 0
		for resp := range events {
			if err := resp.Err(); err != nil {
				return err
			}
			for range resp.Events {
				n++
			}
			if n >= want {
				break
			}
		}
		return wanted(n, want)
	})
}

// latencyScript tells of each event. It ends with the watch, when the putter has what it wants.
const latencyScript = `
local prefix, want = args[1], tonumber(args[2])
local n, w = 0, nil
w = etcd.watch(prefix, function(key, value)
  bench.seen()
  n = n + 1
  if n == want then
    bench.stop()
    w:cancel()
  end
end)
bench.start()
`

// benchLatency compares the time from before a put to inside the callback, its median over many puts.
func benchLatency(b *bench) error {
	n := b.count(2000)
	return b.withClients(func(s *scripts, c *clientv3.Client) error {
		got, err := b.measure(append(plain("clientv3-latency", func() (float64, error) {
			return goLatency(b.ctx, c, n)
		}), ours("latency", func() (float64, error) { return luaLatency(b.ctx, s, c, n) })))
		if err != nil {
			return err
		}
		b.compare(got, comparison{"from a put to the callback, median", atMost(1.1), costs, "latency", "clientv3-latency", duration})
		return nil
	})
}

// putter puts one key after another, each when the one before was seen.
type putter struct {
	c     *clientv3.Client
	seenc chan time.Time
}

func (p *putter) seen() { p.seenc <- time.Now() }

// run returns the median of the times from put to seen.
func (p *putter) run(ctx context.Context, n int) (float64, error) {
	var took []float64
	for i := range n {
		begun := time.Now()
		if _, err := p.c.Put(ctx, keyAt(watchPrefix, i), "value"); err != nil {
			return 0, err
		}
		select {
		case at := <-p.seenc:
			took = append(took, at.Sub(begun).Seconds())
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return median(took), nil
}

func goLatency(ctx context.Context, c *clientv3.Client, n int) (float64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := &putter{c, make(chan time.Time, 1)}
	events := c.Watch(ctx, watchPrefix, clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	<-events
	go func() {
		for resp := range events {
			for range resp.Events {
				p.seen()
			}
		}
	}()
	return p.run(ctx, n)
}

func luaLatency(ctx context.Context, s *scripts, c *clientv3.Client, n int) (took float64, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := &putter{c, make(chan time.Time, 1)}
	done := make(chan error, 1)
	s.seen = p.seen
	s.onStart = func() {
		go func() {
			var putErr error
			took, putErr = p.run(ctx, n)
			done <- putErr
		}()
	}
	defer func() { s.onStart, s.seen = nil, nil }()
	if _, err := s.run(latencyScript, watchPrefix, text(n)); err != nil {
		return 0, err
	}
	err = <-done
	return took, err
}
