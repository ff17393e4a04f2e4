package etcdapi_test

import (
	"context"
	"fmt"
	"testing"

	"etcdlua/etcdapi"
	"etcdlua/etcdapi/etcdtest"
)

// gate lets a test hold requests back: each waits until it is let through.
type gate struct {
	counter
	arrived chan any      // a request that wants to pass
	pass    chan struct{} // closed: all pass
}

// gated puts a gate before a client.
func gated(c *etcdapi.Client) *gate {
	g := &gate{arrived: make(chan any, 1000), pass: make(chan struct{})}
	g.before = func(req any) {
		g.arrived <- req
		<-g.pass
	}
	c.WrapKV(g.wrap)
	return g
}

// got is what one of several gets came back with.
type got struct {
	key   string
	value string
	err   error
}

// getAll starts a get for each key and returns where the results arrive.
func getAll(ctx context.Context, c *etcdapi.Client, keys []string) <-chan got {
	results := make(chan got, len(keys))
	for _, key := range keys {
		go func() {
			kv, err := c.Get(ctx, key, etcdapi.GetOptions{})
			results <- got{key, text(kv), err}
		}()
	}
	return results
}

func manyKeys(t *testing.T, c *etcdapi.Client, n int) []string {
	t.Helper()
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("key/%03d", i)
		mustPut(t, c, keys[i], "value of "+keys[i], etcdapi.PutOptions{})
	}
	return keys
}

// wantOwn checks that every get has its own key's value.
func wantOwn(t *testing.T, results <-chan got, n int) {
	t.Helper()
	for range n {
		if r := <-results; r.err != nil || r.value != "value of "+r.key {
			t.Errorf("%s: %q, %v", r.key, r.value, r.err)
		}
	}
}

// wantAllFree checks that nothing holds a slot or waits.
func wantAllFree(t *testing.T, c *etcdapi.Client) {
	t.Helper()
	etcdtest.Eventually(t, "all four slots are free and nobody waits", func() bool { return c.FreeSlots() == 4 && c.Waiting() == 0 })
}

// occupy lets two gets take the slots and stop at the gate.
func occupy(t *testing.T, ctx context.Context, c *etcdapi.Client, g *gate, keys []string) <-chan got {
	t.Helper()
	results := getAll(ctx, c, keys[:2])
	<-g.arrived
	<-g.arrived
	return results
}
