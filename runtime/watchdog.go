package runtime

import (
	"sync/atomic"
	"time"
)

// slowTurn is how long a task may hold the turn before a warning.
const slowTurn = time.Second

// watchdog finds a task that holds the turn for longer than a second. Reading Lua's
// stack needs the turn, so the task itself says where it is, at its next look from
// the instruction hook. One that never gets there is inside a Go function.
type watchdog struct {
	asked atomic.Pointer[Task]
}

// startWatchdog looks at the turn four times in slowTurn; the returned function ends
// it and waits for it. Looking from outside keeps the clock out of every take.
func (h *Host) startWatchdog() (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	ticker := h.Clock.NewTicker(slowTurn / 4)
	go func() {
		defer close(done)
		defer ticker.Stop()
		var last uint64
		looks := 0
		for {
			select {
			case <-quit:
				return
			case <-ticker.C:
			}
			holder, terms := h.turn.look()
			if holder == nil || terms != last {
				last, looks = terms, 0
				continue
			}
			looks++
			h.watch.see(h, holder, looks)
		}
	}()
	return func() { close(quit); <-done }
}

func (w *watchdog) see(h *Host, holder *Task, looks int) {
	switch looks {
	case 4:
		w.asked.Store(holder)
	case 8: // it had a second to answer
		if w.asked.CompareAndSwap(holder, nil) {
			h.Log.Warn("a host function has held the turn for two seconds; other tasks wait", "task", holder.origin)
		}
	}
}

// onCheck answers the watchdog from the task that holds the turn.
func (h *Host) onCheck(c *Context) {
	if h.watch.asked.Load() == nil {
		return
	}
	if h.watch.asked.Swap(nil) == c.task {
		h.Log.Warn("the script has held the turn for a second without waiting; other tasks wait",
			"at", where(h.state.G.CurrentThread), "task", c.task.origin)
	}
}
