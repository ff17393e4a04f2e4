package etcdapi_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"etcdlua/etcdapi"
	"etcdlua/etcdapi/etcdtest"
)

func TestGetsShareRequests(t *testing.T) {
	c := etcdtest.Client(t)
	ctx := etcdtest.Context(t)
	keys := manyKeys(t, c, 60)
	g := gated(c)
	two := occupy(t, ctx, c, g, keys)
	rest := getAll(ctx, c, keys[2:])
	etcdtest.Eventually(t, "58 wait", func() bool { return c.Waiting() == 58 })
	close(g.pass)
	wantOwn(t, two, 2)
	wantOwn(t, rest, 58)
	// Two alone, then 48 and 10, or what came together in another way when somebody lost patience.
	if ranges, txns, largest := g.counts(); ranges+txns > 12 || txns == 0 || largest > 48 {
		t.Errorf("60 gets took %d ranges and %d transactions, the largest of %d", ranges, txns, largest)
	}
	wantAllFree(t, c)
}

// TestCrowd: with a hundred waiting, more than two requests are under way.
func TestCrowd(t *testing.T) {
	c := etcdtest.Client(t)
	ctx := etcdtest.Context(t)
	keys := manyKeys(t, c, 300)
	g := gated(c)
	two := occupy(t, ctx, c, g, keys)
	rest := getAll(ctx, c, keys[2:])
	for extra := 0; extra < 2; {
		if txn, ok := (<-g.arrived).(*pb.TxnRequest); ok && len(txn.Success) == 48 {
			extra++ // with the two slots taken, who can this be but the crowd's?
		}
	}
	close(g.pass)
	wantOwn(t, two, 2)
	wantOwn(t, rest, 298)
	wantAllFree(t, c)
}

func TestAloneIsAPlainRange(t *testing.T) {
	c := etcdtest.Client(t)
	calls := &counter{}
	c.WrapKV(calls.wrap)
	for range 5 {
		value(t, c, "k")
	}
	if ranges, txns, _ := calls.counts(); ranges != 5 || txns != 0 {
		t.Errorf("%d ranges, %d transactions", ranges, txns)
	}
}

// TestReadsAreLinearizable: a get that began after a write was acknowledged sees it, whoever carries it.
func TestReadsAreLinearizable(t *testing.T) {
	c := etcdtest.Client(t)
	ctx := etcdtest.Context(t)
	var acknowledged atomic.Int64
	stop := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		for i := int64(1); ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := c.Put(ctx, "counter", fmt.Sprint(i), etcdapi.PutOptions{}); err != nil {
				t.Error(err)
				return
			}
			acknowledged.Store(i)
		}
	})
	var readers sync.WaitGroup
	for reader := range 40 {
		readers.Go(func() {
			own := fmt.Sprintf("own/%d", reader)
			if _, err := c.Put(ctx, own, own, etcdapi.PutOptions{}); err != nil {
				t.Error(err)
			}
			for range 50 {
				atLeast := acknowledged.Load()
				kv, err := c.Get(ctx, "counter", etcdapi.GetOptions{})
				var n int64
				if kv != nil {
					fmt.Sscan(string(kv.Value), &n)
				}
				if err != nil || n < atLeast {
					t.Errorf("read %d when %d was acknowledged, %v", n, atLeast, err)
				}
				if kv, err := c.Get(ctx, own, etcdapi.GetOptions{}); err != nil || text(kv) != own {
					t.Errorf("%s: %s, %v", own, text(kv), err)
				}
			}
		})
	}
	readers.Wait()
	close(stop)
	group.Wait()
	wantAllFree(t, c)
}

// TestCancelledWaiter: it returns at once, and the others have their answers.
func TestCancelledWaiter(t *testing.T) {
	c := etcdtest.Client(t)
	ctx := etcdtest.Context(t)
	keys := manyKeys(t, c, 20)
	g := gated(c)
	two := occupy(t, ctx, c, g, keys)
	gone, cancel := context.WithCancel(ctx)
	leaving := getAll(gone, c, keys[2:6])
	etcdtest.Eventually(t, "4 wait", func() bool { return c.Waiting() == 4 })
	staying := getAll(ctx, c, keys[6:])
	etcdtest.Eventually(t, "18 wait", func() bool { return c.Waiting() == 18 })
	cancel()
	for range 4 {
		wantCode(t, (<-leaving).err, etcdapi.CodeCancelled)
	}
	close(g.pass)
	wantOwn(t, two, 2)
	wantOwn(t, staying, 14)
	wantAllFree(t, c)
}

// TestCancelledWhileSent: a leader whose batch is under way, on a connection that answers nothing, leaves
// at once, and so does a waiter of that batch; the others have their answers when the connection is back.
func TestCancelledWhileSent(t *testing.T) {
	server := etcdtest.Start(t)
	proxy := etcdtest.NewProxy(t, server.Endpoint())
	c := etcdtest.Connect(t, etcdapi.Config{Endpoints: []string{proxy.Endpoint()}, CommandTimeout: 20 * time.Second})
	ctx := etcdtest.Context(t)
	keys := manyKeys(t, c, 12)
	g := gated(c)
	two := occupy(t, ctx, c, g, keys)
	leaderCtx, cancelLeader := context.WithCancel(ctx)
	leader := getAll(leaderCtx, c, keys[2:3]) // first in the queue: it will lead
	etcdtest.Eventually(t, "1 waits", func() bool { return c.Waiting() == 1 })
	waiterCtx, cancelWaiter := context.WithCancel(ctx)
	waiter := getAll(waiterCtx, c, keys[3:4])
	rest := getAll(ctx, c, keys[4:])
	etcdtest.Eventually(t, "10 wait", func() bool { return c.Waiting() == 10 })
	stall := make(chan struct{})
	g.setBefore(func(req any) {
		if _, ok := req.(*pb.TxnRequest); ok {
			proxy.Stall()
			select {
			case <-stall:
			default:
				close(stall)
			}
		}
	})
	close(g.pass)
	<-stall // the batch is about to be sent into a connection that is silent
	cancelWaiter()
	wantCode(t, (<-waiter).err, etcdapi.CodeCancelled)
	cancelLeader()
	wantCode(t, (<-leader).err, etcdapi.CodeCancelled)
	g.setBefore(nil)
	proxy.Heal()
	wantOwn(t, two, 2)
	wantOwn(t, rest, 8)
	wantAllFree(t, c)
}

// TestEachGetHasItsOwnDeadline: one with a short time leaves, those beside it wait on.
func TestEachGetHasItsOwnDeadline(t *testing.T) {
	c := etcdtest.Client(t)
	ctx := etcdtest.Context(t)
	keys := manyKeys(t, c, 3)
	g := gated(c)
	two := occupy(t, ctx, c, g, keys)
	third := getAll(ctx, c, keys[2:])
	etcdtest.Eventually(t, "1 waits", func() bool { return c.Waiting() == 1 })
	expired, cancel := context.WithDeadline(ctx, time.Now().Add(10*time.Millisecond))
	defer cancel()
	_, err := c.Get(expired, "other", etcdapi.GetOptions{})
	wantCode(t, err, etcdapi.CodeTimeout)
	close(g.pass)
	wantOwn(t, two, 2)
	wantOwn(t, third, 1)
	wantAllFree(t, c)
}

// TestStuckRequestsHoldUpNobodyForLong: with both slots stuck, a get goes alone in the end.
func TestStuckRequestsHoldUpNobodyForLong(t *testing.T) {
	c := etcdtest.Client(t)
	ctx := etcdtest.Context(t)
	keys := manyKeys(t, c, 3)
	g := gated(c)
	two := occupy(t, ctx, c, g, keys)
	third := getAll(ctx, c, keys[2:])
	if req, ok := (<-g.arrived).(*pb.RangeRequest); !ok || string(req.Key) != keys[2] {
		t.Errorf("%v", req)
	}
	close(g.pass)
	wantOwn(t, two, 2)
	wantOwn(t, third, 1)
	wantAllFree(t, c)
}

// TestDeniedKeyFailsAlone: permission denied for one key fails a whole transaction, and only its own get.
func TestDeniedKeyFailsAlone(t *testing.T) {
	user := restricted(t)
	ctx := etcdtest.Context(t)
	keys := make([]string, 40)
	for i := range keys {
		keys[i] = fmt.Sprintf("key/%03d", i)
	}
	keys[23] = "secret"
	g := gated(user)
	two := occupy(t, ctx, user, g, keys)
	rest := getAll(ctx, user, keys[2:])
	etcdtest.Eventually(t, "38 wait", func() bool { return user.Waiting() == 38 })
	close(g.pass)
	check := func(r got) {
		if r.key == "secret" {
			wantCode(t, r.err, etcdapi.CodePermissionDenied)
			if !strings.Contains(fmt.Sprint(r.err), `"secret"`) {
				t.Errorf("%v", r.err)
			}
		} else if r.err != nil || r.value != "value of "+r.key {
			t.Errorf("%s: %q, %v", r.key, r.value, r.err)
		}
	}
	for range 2 {
		check(<-two)
	}
	for range 38 {
		check(<-rest)
	}
	if !user.Alone("secret") || user.Alone(keys[3]) {
		t.Errorf("travel alone: secret %v, another %v", user.Alone("secret"), user.Alone(keys[3]))
	}
	wantAllFree(t, user)
}

// TestReceiveLimit: answers that are too large together come apart.
func TestReceiveLimit(t *testing.T) {
	server := etcdtest.Start(t)
	c := etcdtest.Connect(t, etcdapi.Config{Endpoints: []string{server.Endpoint()}, MaxCallRecvBytes: 2100 << 10})
	ctx := etcdtest.Context(t)
	keys := make([]string, 42)
	for i := range keys {
		keys[i] = fmt.Sprintf("key/%03d", i)
		mustPut(t, c, keys[i], "value of "+keys[i]+strings.Repeat(" ", 63<<10), etcdapi.PutOptions{})
	}
	g := gated(c)
	two := occupy(t, ctx, c, g, keys)
	rest := getAll(ctx, c, keys[2:])
	etcdtest.Eventually(t, "40 wait", func() bool { return c.Waiting() == 40 })
	close(g.pass)
	for _, results := range []struct {
		c <-chan got
		n int
	}{{two, 2}, {rest, 40}} {
		for range results.n {
			if r := <-results.c; r.err != nil || strings.TrimSpace(r.value) != "value of "+r.key {
				t.Errorf("%s: %d bytes, %v", r.key, len(r.value), r.err)
			}
		}
	}
	wantAllFree(t, c)
}

// TestLargeValuesTravelAlone, until they are small again.
func TestLargeValuesTravelAlone(t *testing.T) {
	c := etcdtest.Client(t)
	mustPut(t, c, "k", strings.Repeat("x", 64<<10+1), etcdapi.PutOptions{})
	if value(t, c, "k"); !c.Alone("k") {
		t.Error("a large value has been read, and its key is not remembered")
	}
	mustPut(t, c, "k", "small", etcdapi.PutOptions{})
	if value(t, c, "k"); c.Alone("k") {
		t.Error("the value is small again, and its key travels alone")
	}
	for i := range 1500 {
		c.Remember(fmt.Sprint(i))
	}
	remembered := 0
	for i := range 1500 {
		if c.Alone(fmt.Sprint(i)) {
			remembered++
		}
	}
	if remembered != 1024 {
		t.Errorf("%d keys are remembered", remembered)
	}
}

// TestGetsSurviveABrokenConnection: they are reads, and are sent again.
func TestGetsSurviveABrokenConnection(t *testing.T) {
	server := etcdtest.Start(t)
	proxy := etcdtest.NewProxy(t, server.Endpoint())
	c := etcdtest.Connect(t, etcdapi.Config{Endpoints: []string{proxy.Endpoint()}, CommandTimeout: 20 * time.Second})
	keys := manyKeys(t, c, 50)
	ctx := etcdtest.Context(t)
	g := gated(c)
	two := occupy(t, ctx, c, g, keys)
	rest := getAll(ctx, c, keys[2:])
	etcdtest.Eventually(t, "48 wait", func() bool { return c.Waiting() == 48 })
	var once sync.Once
	g.setBefore(func(req any) {
		if _, ok := req.(*pb.TxnRequest); ok {
			once.Do(func() {
				proxy.Cut()
				go proxy.Heal()
			})
		}
	})
	close(g.pass)
	wantOwn(t, two, 2)
	wantOwn(t, rest, 48)
	wantAllFree(t, c)
}
