package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	getPrefix = "/bench/get/"
	getKeys   = 1000
)

const getScript = `
local prefix, n = args[1], tonumber(args[2])
local key = prefix .. "00000000"
bench.start()
for _ = 1, n do
  if not etcd.get(key) then error("no value") end
end
bench.stop()
`

func benchGet(b *bench) error {
	n := b.count(5000)
	return b.withClients(func(s *scripts, c *clientv3.Client) error {
		if err := fill(b.ctx, c, getPrefix, 1); err != nil {
			return err
		}
		got, err := b.measure(append(plain("clientv3-get", func() (float64, error) {
			return timed(func() error { return getInTurn(b.ctx, c, keyAt(getPrefix, 0), n) })
		}), s.side("get", getScript, getPrefix, text(n))))
		if err != nil {
			return err
		}
		b.compare(got, comparison{"`etcd.get` one after another", atLeast(0.95), rates, "get", "clientv3-get", perSecond(n)})
		return nil
	})
}

func getInTurn(ctx context.Context, c *clientv3.Client, key string, n int) error {
	for range n {
		resp, err := c.Get(ctx, key)
		if err != nil {
			return err
		}
		if len(resp.Kvs) != 1 {
			return errors.New("no value")
		}
	}
	return nil
}

const setScript = `
local n, value = tonumber(args[2]), ("v"):rep(128)
local key = args[1] .. "00000000"
bench.start()
for _ = 1, n do etcd.set(key, value) end
bench.stop()
`

func benchSet(b *bench) error {
	n := b.count(4000)
	return b.withClients(func(s *scripts, c *clientv3.Client) error {
		got, err := b.measure(append(plain("clientv3-set", func() (float64, error) {
			return timed(func() error { return setInTurn(b.ctx, c, keyAt(getPrefix, 0), n) })
		}), s.side("set", setScript, getPrefix, text(n))))
		if err != nil {
			return err
		}
		b.compare(got, comparison{"`etcd.set` one after another", atLeast(0.95), rates, "set", "clientv3-set", perSecond(n)})
		return nil
	})
}

func setInTurn(ctx context.Context, c *clientv3.Client, key string, n int) error {
	value := string(make([]byte, 128))
	for range n {
		if _, err := c.Put(ctx, key, value); err != nil {
			return err
		}
	}
	return nil
}

// getsScript reads from many tasks at once, each its own walk over the same thousand keys.
const getsScript = `
local prefix, tasks, each, count = args[1], tonumber(args[2]), tonumber(args[3]), tonumber(args[4])
local keys = {}
for i = 1, count do keys[i] = string.format("%s%08d", prefix, i - 1) end
local running = {}
bench.start()
for t = 1, tasks do
  running[t] = task.spawn(function()
    for i = 1, each do
      if not etcd.get(keys[(t * 17 + i) % count + 1]) then error("no value") end
    end
  end)
end
for t = 1, tasks do running[t]:join() end
bench.stop()
`

func benchGet64(b *bench) error  { return benchGets(b, 64, atLeast(3)) }
func benchGet256(b *bench) error { return benchGets(b, 256, atLeast(5)) }

func benchGets(b *bench, tasks int, g goal) error {
	each := max(b.count(25600)/tasks, 2)
	return b.withClients(func(s *scripts, c *clientv3.Client) error {
		if err := fill(b.ctx, c, getPrefix, getKeys); err != nil {
			return err
		}
		name := fmt.Sprintf("get%d", tasks)
		got, err := b.measure(append(plain("clientv3-"+name, func() (float64, error) {
			return goGets(b.ctx, c, tasks, each)
		}), s.side(name, getsScript, getPrefix, text(tasks), text(each), text(getKeys))))
		if err != nil {
			return err
		}
		b.compare(got, comparison{fmt.Sprintf("%d tasks getting at once", tasks), g, rates, name, "clientv3-" + name, perSecond(tasks * each)})
		return nil
	})
}

// goGets is what getsScript does, with goroutines.
func goGets(ctx context.Context, c *clientv3.Client, tasks, each int) (float64, error) {
	keys := make([]string, getKeys)
	for i := range keys {
		keys[i] = keyAt(getPrefix, i)
	}
	errs := make([]error, tasks)
	took, _ := timed(func() error {
		var running sync.WaitGroup
		for t := range tasks {
			running.Go(func() {
				for i := range each {
					if err := getInTurn(ctx, c, keys[(t*17+i)%getKeys], 1); err != nil {
						errs[t] = err
						return
					}
				}
			})
		}
		running.Wait()
		return nil
	})
	return took, errors.Join(errs...)
}
