package etcdapi

import (
	"sync"
	"time"
)

// cleanupWithin is how long Close waits for cleanups.
const cleanupWithin = time.Second

// cleanups runs what has to be sent although its caller was cancelled and has left.
type cleanups struct {
	mu     sync.Mutex
	n      int
	closed bool
	donec  chan struct{} // closed when closed and n is 0
}

// run starts f on a goroutine that close waits for; after close it does nothing.
func (c *cleanups) run(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.n++
	go func() {
		defer c.end()
		f()
	}()
}

func (c *cleanups) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n--
	if c.closed && c.n == 0 {
		close(c.donec)
	}
}

// close lets nothing more start; the channel is closed when all have ended.
func (c *cleanups) close() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.closed = true
		c.donec = make(chan struct{})
		if c.n == 0 {
			close(c.donec)
		}
	}
	return c.donec
}
