package main

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const rangePrefix = "/bench/range/"

// rangeScript walks over a prefix with a loop of these variables and this body. A server that is busy gets
// time: it has been given a million keys just before.
func rangeScript(variables, body string) string {
	return `
local prefix, want = args[1], tonumber(args[2])
local n = 0
bench.start()
for ` + variables + ` in etcd.prefix(prefix, {timeout = 60}) do
  n = n + 1 ` + body + `
end
bench.stop()
if n ~= want then error("saw " .. n .. " keys, not " .. want) end
`
}

var (
	twoVariables   = rangeScript("key, value", "")
	threeVariables = rangeScript("key, value, kv", "")
	threeUsed      = rangeScript("key, value, kv", "local _ = kv.mod_revision")
)

// benchRange compares with one unpaged Get, where the server has RangeStream.
func benchRange(b *bench) error {
	n := b.count(100_000)
	return b.withClients(func(s *scripts, c *clientv3.Client) error {
		got, err := measureRange(b, s, c, "range", n)
		if err != nil {
			return err
		}
		const reference = "clientv3-range-unpaged"
		line := func(what string, g goal, side string) {
			b.compare(got, comparison{fmt.Sprintf("%d keys of 128 B, %s; one unpaged Get", n, what), g, costs, side, reference, duration})
		}
		line("`for key, value`", atMost(1), "range-two")
		line("`for key, value, kv`", atMost(1), "range-three")
		line("`for key, value, kv` that reads `kv.mod_revision`", goal{}, "range-used")
		return nil
	})
}

// benchPages compares with Gets where the server has no RangeStream.
func benchPages(b *bench) error {
	n := b.count(100_000)
	return b.withClients(func(s *scripts, c *clientv3.Client) error {
		got, err := measureRange(b, s, c, "pages", n)
		if err != nil {
			return err
		}
		line := func(what string, g goal, side, reference string) {
			b.compare(got, comparison{"the same without RangeStream, " + what, g, costs, side, reference, duration})
		}
		line("`for key, value`; one unpaged Get", atMost(1.7), "pages-two", "clientv3-pages-unpaged")
		line("`for key, value, kv`; one unpaged Get", atMost(1.7), "pages-three", "clientv3-pages-unpaged")
		line("`for key, value`; Gets of 1,000", atMost(0.75), "pages-two", "clientv3-pages-1000")
		line("`for key, value, kv`; Gets of 1,000", atMost(0.75), "pages-three", "clientv3-pages-1000")
		return nil
	}, noRangeStream)
}

func measureRange(b *bench, s *scripts, c *clientv3.Client, name string, n int) (figures, error) {
	if err := fill(b.ctx, c, rangePrefix, n); err != nil {
		return nil, err
	}
	sides := append(plain("clientv3-"+name+"-unpaged", func() (float64, error) {
		return timed(func() error { return rangeUnpaged(b.ctx, c, n) })
	}), s.side(name+"-two", twoVariables, rangePrefix, text(n)), s.side(name+"-three", threeVariables, rangePrefix, text(n)))
	if name == "range" {
		return b.measure(append(sides, s.side(name+"-used", threeUsed, rangePrefix, text(n))))
	}
	return b.measure(append(sides, plain("clientv3-"+name+"-1000", func() (float64, error) {
		return timed(func() error { return rangePaged(b.ctx, c, n, 1000) })
	})...))
}

func rangeUnpaged(ctx context.Context, c *clientv3.Client, want int) error {
	resp, err := c.Get(ctx, rangePrefix, clientv3.WithPrefix())
	if err != nil {
		return err
	}
	n := 0
	for range resp.Kvs {
		n++
	}
	return wanted(n, want)
}

// rangePaged is what a Go program does that does not want all keys in memory: pages at one revision.
func rangePaged(ctx context.Context, c *clientv3.Client, want, size int) error {
	end := clientv3.WithRange(clientv3.GetPrefixRangeEnd(rangePrefix))
	n, from, rev := 0, rangePrefix, int64(0)
	for {
		resp, err := c.Get(ctx, from, end, clientv3.WithLimit(int64(size)), clientv3.WithRev(rev))
		if err != nil {
			return err
		}
		for range resp.Kvs {
			n++
		}
		if !resp.More {
			return wanted(n, want)
		}
		rev = resp.Header.Revision
		from = string(resp.Kvs[len(resp.Kvs)-1].Key) + "\x00"
	}
}

func wanted(n, want int) error {
	if n != want {
		return fmt.Errorf("saw %d keys, not %d", n, want)
	}
	return nil
}
