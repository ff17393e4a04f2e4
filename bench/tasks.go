package main

import (
	"fmt"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// parkedScript notes what tasks take that wait; %s is what they wait in.
func parkedScript(wait string) string {
	return `
local n = tonumber(args[1])
local never, running = task.channel(), {}
bench.start()
local heap, stack = bench.memory()
for i = 1, n do running[i] = task.spawn(function() ` + wait + ` end) end
task.yield()
local more_heap, more_stack = bench.memory()
bench.note("heap", (more_heap - heap) / n)
bench.note("stack", (more_stack - stack) / n)
for i = 1, n do running[i]:cancel() end
bench.stop()
`
}

func benchParked(b *bench) error {
	n := b.count(10_000)
	return b.withServer(func(endpoint string) error {
		for _, p := range []struct{ what, wait string }{
			{"in `ch:recv()`", "never:recv()"}, {"in `task.sleep`", "task.sleep(3600)"},
		} {
			if err := parked(b, endpoint, n, p.what, parkedScript(p.wait)); err != nil {
				return err
			}
		}
		return nil
	})
}

// parked measures in a process of its own: goroutines leave stacks behind.
func parked(b *bench, endpoint string, n int, what, src string) error {
	var heap, stack []float64
	got, err := b.measure([]side{ours("parked", func() (float64, error) {
		r, err := b.scriptInChild(ourGC(), endpoint, src, text(n))
		heap, stack = append(heap, r.Noted["heap"]), append(stack, r.Noted["stack"])
		return r.Noted["heap"] + r.Noted["stack"], err
	})})
	if err != nil {
		return err
	}
	b.table.add(row{
		what: fmt.Sprintf("a task of %d that waits %s: heap and stack", n, what), goal: goal{"≤", 13 << 10, kibibytes}, value: median(got["parked"]),
		ours: fmt.Sprintf("%s = %s + %s", kibibytes(median(got["parked"])), kibibytes(median(heap)), kibibytes(median(stack))),
	})
	return nil
}

const spawnScript = `
local n, running = tonumber(args[1]), {}
bench.start()
for i = 1, n do running[i] = task.spawn(function() end) end
for i = 1, n do running[i]:join() end
bench.stop()
`

func benchSpawn(b *bench) error {
	n := b.count(10_000)
	return b.withClients(func(s *scripts, _ *clientv3.Client) error {
		got, err := b.measure(append(plain("goroutines", func() (float64, error) {
			return timed(func() error {
				var running sync.WaitGroup
				for range n {
					running.Go(func() {})
				}
				running.Wait()
				return nil
			})
		}), s.side("tasks", spawnScript, text(n))))
		if err != nil {
			return err
		}
		b.compare(got, comparison{fmt.Sprintf("%d tasks spawned and joined; as many goroutines", n), goal{}, costs, "tasks", "goroutines", duration})
		return nil
	})
}
