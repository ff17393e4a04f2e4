package etcdapi_test

import (
	"context"
	"errors"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"etcdlua/etcdapi"
	"etcdlua/etcdapi/etcdtest"
)

func TestPutLeases(t *testing.T) {
	c := etcdtest.Client(t)
	ctx := etcdtest.Context(t)
	r := mustPut(t, c, "k", "v", etcdapi.PutOptions{TTL: 600})
	left, err := c.Clientv3().TimeToLive(ctx, clientv3.LeaseID(r.Lease), clientv3.WithAttachedKeys())
	if err != nil || left.GrantedTTL != 600 || len(left.Keys) != 1 || string(left.Keys[0]) != "k" {
		t.Fatalf("%+v, %v", left, err)
	}
	mustPut(t, c, "k", "w", etcdapi.PutOptions{KeepLease: true})
	kv, err := c.Get(ctx, "k", etcdapi.GetOptions{})
	if err != nil || text(kv) != "w" || etcdapi.LeaseID(kv.Lease) != r.Lease {
		t.Errorf("keep_lease: %v, %v", kv, err)
	}
	mustPut(t, c, "k", "", etcdapi.PutOptions{KeepValue: true})
	kv, err = c.Get(ctx, "k", etcdapi.GetOptions{})
	if err != nil || text(kv) != "w" || kv.Lease != 0 || kv.Version != 3 {
		t.Errorf("keep_value: %v, %v", kv, err)
	}
	mustPut(t, c, "l", "v", etcdapi.PutOptions{Lease: r.Lease})
	if kv, err := c.Get(ctx, "l", etcdapi.GetOptions{}); err != nil || etcdapi.LeaseID(kv.Lease) != r.Lease {
		t.Errorf("lease: %v, %v", kv, err)
	}
	_, err = c.Put(ctx, "k", "v", etcdapi.PutOptions{Lease: 12345})
	wantCode(t, err, etcdapi.CodeLeaseNotFound)
	_, err = c.Put(ctx, "none", "v", etcdapi.PutOptions{KeepLease: true})
	wantCode(t, err, etcdapi.CodeKeyNotFound)
	_, err = c.Put(ctx, "none", "", etcdapi.PutOptions{KeepValue: true})
	wantCode(t, err, etcdapi.CodeKeyNotFound)
}

func leases(t *testing.T, c *etcdapi.Client) int {
	t.Helper()
	list, err := c.Clientv3().Leases(etcdtest.Context(t))
	if err != nil {
		t.Fatal(err)
	}
	return len(list.Leases)
}

// TestLeaseOfAWriteThatFailed: the lease of ttl is gone when the key did not get it.
func TestLeaseOfAWriteThatFailed(t *testing.T) {
	c := etcdtest.Client(t)
	ctx := etcdtest.Context(t)
	mustPut(t, c, "k", "v", etcdapi.PutOptions{})
	if r := mustPut(t, c, "k", "w", etcdapi.PutOptions{TTL: 600, IfAbsent: true}); r.Done || r.Lease != 0 || text(r.Current) != "v" {
		t.Errorf("%+v", r)
	}
	if n := leases(t, c); n != 0 {
		t.Errorf("%d leases after a condition that was not met", n)
	}
	_, err := c.Put(ctx, "none", "", etcdapi.PutOptions{TTL: 600, KeepValue: true})
	wantCode(t, err, etcdapi.CodeKeyNotFound)
	if n := leases(t, c); n != 0 {
		t.Errorf("%d leases after a write that failed", n)
	}
}

// TestLeaseOfAWriteThatWasCancelled: the caller leaves while its write is refused; the lease goes all the same.
func TestLeaseOfAWriteThatWasCancelled(t *testing.T) {
	c := etcdtest.Client(t)
	ctx, cancel := context.WithCancel(etcdtest.Context(t))
	c.WrapKV(func(kv pb.KVClient) pb.KVClient {
		return failPut{kv, func() error {
			if n := leases(t, c); n != 1 {
				t.Errorf("%d leases when the key is written", n)
			}
			cancel()
			return rpctypes.ErrGRPCPermissionDenied
		}}
	})
	_, err := c.Put(ctx, "k", "v", etcdapi.PutOptions{TTL: 600})
	wantCode(t, err, etcdapi.CodePermissionDenied)
	etcdtest.Eventually(t, "the lease is gone", func() bool { return leases(t, c) == 0 })
}

// TestLeaseOfAWriteOfUnknownOutcome: it stays, for the key may have it.
func TestLeaseOfAWriteOfUnknownOutcome(t *testing.T) {
	c := etcdtest.Client(t)
	c.WrapKV(func(kv pb.KVClient) pb.KVClient {
		return failPut{kv, func() error { return rpctypes.ErrGRPCTimeout }}
	})
	_, err := c.Put(etcdtest.Context(t), "k", "v", etcdapi.PutOptions{TTL: 600})
	wantOutcome(t, err, etcdapi.CodeTimeout, etcdapi.OutcomeUnknown)
	if n := leases(t, c); n != 1 {
		t.Errorf("%d leases", n)
	}
}

func TestCancelledWrite(t *testing.T) {
	c := etcdtest.Client(t)
	ctx, cancel := context.WithCancel(etcdtest.Context(t))
	calls := &counter{before: func(any) { cancel() }}
	c.WrapKV(calls.wrap)
	_, err := c.Put(ctx, "k", "v", etcdapi.PutOptions{})
	wantOutcome(t, err, etcdapi.CodeCancelled, etcdapi.OutcomeUnknown) // it was on its way
	calls.reset()
	for _, o := range []etcdapi.PutOptions{{}, {TTL: 600}, {IfAbsent: true}} {
		_, err = c.Put(ctx, "k", "v", o)
		wantOutcome(t, err, etcdapi.CodeCancelled, etcdapi.OutcomeNone)
	}
	_, err = c.Delete(ctx, "k", etcdapi.DeleteOptions{})
	wantOutcome(t, err, etcdapi.CodeCancelled, etcdapi.OutcomeNone)
	if n := calls.total(); n != 0 {
		t.Errorf("%d requests were sent for a caller that had left", n)
	}
}

func wantOutcome(t *testing.T, err error, code etcdapi.Code, outcome etcdapi.Outcome) {
	t.Helper()
	var e *etcdapi.Error
	if !errors.As(err, &e) || e.Code != code || e.Outcome != outcome {
		t.Errorf("got %v, want %s, outcome %s", err, code, outcome)
	}
}
