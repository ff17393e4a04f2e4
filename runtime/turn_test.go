package runtime

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func newTurnTask() *Task { return &Task{wake: make(chan struct{}, 1)} }

// The turn is handed over in the order of asking, and held by one at a time.
func TestTurnIsFirstInFirstOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var turn turn
		first := newTurnTask()
		turn.take(first)
		var order []int
		var wg sync.WaitGroup
		for i := range 200 {
			wg.Go(func() {
				turn.take(newTurnTask())
				order = append(order, i) // the race detector sees it if two hold the turn
				turn.give()
			})
			synctest.Wait() // it has asked, before the next one does
		}
		turn.give()
		wg.Wait()
		for i, got := range order {
			if got != i {
				t.Fatalf("number %d came in place %d", got, i)
			}
		}
		if len(order) != 200 {
			t.Errorf("only %d had the turn", len(order))
		}
	})
}

func TestTurnUnderContention(t *testing.T) {
	var turn turn
	var wg sync.WaitGroup
	count := 0
	for range 16 {
		wg.Go(func() {
			task := newTurnTask()
			for range 2000 {
				turn.take(task)
				count++
				turn.give()
			}
		})
	}
	wg.Wait()
	if holder, _ := turn.look(); count != 16*2000 || holder != nil {
		t.Errorf("count %d, holder %v", count, holder)
	}
}

func TestTakeBeforeGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var turn turn
		turn.take(newTurnTask())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if turn.takeBefore(ctx, newTurnTask()) {
			t.Error("it took a turn that was held")
		}
		turn.give() // goes to the one that gave up, which gives it on
		synctest.Wait()
		turn.take(newTurnTask())
		turn.give()
	})
}

// Timers, in virtual time: what is due comes in its order, and sleeping costs nothing.
func TestTimersInVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		got := mustRun(t, `
			task.after(30, print, "after 30s")
			task.after("10s", print, "after 10s")
			local n = 0
			local ticker
			ticker = task.every("1h", function()
				n = n + 1
				print("hour " .. n)
				if n == 3 then ticker:cancel() end
			end)
			local missed = 0
			local slow
			slow = task.every(60, function()
				missed = missed + 1
				task.sleep(150)
				if missed == 2 then print("every: not made up for") slow:cancel() end
			end)
			local cron
			cron = task.cron("0 0 * * *", function() print("midnight") cron:cancel() end, {zone = "UTC"})
			local ok, err = pcall(task.with_timeout, "2h30m", function() task.sleep(36000) end)
			print(err.code)`)
		want := []string{"after 10s", "after 30s", "every: not made up for", "hour 1", "hour 2", "timeout", "hour 3", "midnight"}
		if strings.TrimSpace(got) != strings.Join(want, "\n") {
			t.Errorf("got\n%s", got)
		}
		if passed := time.Since(start); passed < 3*time.Hour {
			t.Errorf("only %s passed", passed)
		}
	})
}

// Tasks that spawn, cancel, join and talk at random neither hang nor lose a result.
func TestManyTasksTalk(t *testing.T) {
	got := mustRun(t, `
		local ch = task.channel(3)
		local sum = 0
		local takers = {}
		for i = 1, 20 do
			takers[i] = function()
				for v in ch do
					sum = sum + v
					if v % 7 == 0 then task.yield() end
				end
			end
		end
		local all = task.spawn(task.all, takers)
		local m = task.mutex()
		local inside = 0
		task.map({1, 2, 3, 4, 5, 6, 7, 8}, function(k)
			for i = 1, 100 do
				m:with(function()
					inside = inside + 1
					assert(inside == 1)
					task.yield()
					inside = inside - 1
				end)
				ch:send(k * i)
			end
		end)
		ch:close()
		all:join()
		print(sum)`)
	if want := fmt.Sprintln(36 * 5050); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
