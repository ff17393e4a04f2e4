package etcdapi_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"etcdlua/etcdapi"
	"etcdlua/etcdapi/etcdtest"
)

// mustPut writes a key, which must be possible, and returns the result.
func mustPut(t *testing.T, c *etcdapi.Client, key, value string, o etcdapi.PutOptions) etcdapi.PutResult {
	t.Helper()
	r, err := c.Put(etcdtest.Context(t), key, value, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// value reads a key: "(absent)" when there is none.
func value(t *testing.T, c *etcdapi.Client, key string) string {
	t.Helper()
	kv, err := c.Get(etcdtest.Context(t), key, etcdapi.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return text(kv)
}

func text(kv *etcdapi.KV) string {
	if kv == nil {
		return "(absent)"
	}
	return string(kv.Value)
}

func wantCode(t *testing.T, err error, code etcdapi.Code) {
	t.Helper()
	if etcdapi.CodeOf(err) != code {
		t.Errorf("got %q (%v), want %s", etcdapi.CodeOf(err), err, code)
	}
}

func TestGetPutDelete(t *testing.T) {
	c := etcdtest.Client(t)
	ctx := etcdtest.Context(t)
	if got := value(t, c, "a"); got != "(absent)" {
		t.Errorf("before: %s", got)
	}
	binary := "\x00\xff\n\x80"
	r1 := mustPut(t, c, binary, binary, etcdapi.PutOptions{})
	r2 := mustPut(t, c, "empty", "", etcdapi.PutOptions{})
	if !r1.Done || r2.Revision != r1.Revision+1 {
		t.Errorf("%+v, %+v", r1, r2)
	}
	if got := value(t, c, binary); got != binary {
		t.Errorf("binary: %q", got)
	}
	if got := value(t, c, "empty"); got != "" {
		t.Errorf("empty: %q", got)
	}
	mustPut(t, c, binary, "2", etcdapi.PutOptions{})
	old, err := c.Get(ctx, binary, etcdapi.GetOptions{Revision: r1.Revision})
	if err != nil || text(old) != binary {
		t.Errorf("at revision %d: %v, %v", r1.Revision, old, err)
	}
	stale, err := c.Get(ctx, binary, etcdapi.GetOptions{Serializable: true})
	if err != nil || text(stale) != "2" {
		t.Errorf("serializable: %v, %v", stale, err)
	}
	d, err := c.Delete(ctx, binary, etcdapi.DeleteOptions{PrevKV: true})
	if err != nil || !d.Done || d.Deleted != 1 || text(d.Prev[0]) != "2" || d.Revision != r2.Revision+2 {
		t.Errorf("delete: %+v, %v", d, err)
	}
	d, err = c.Delete(ctx, binary, etcdapi.DeleteOptions{PrevKV: true})
	if err != nil || !d.Done || d.Deleted != 0 || len(d.Prev) != 0 {
		t.Errorf("delete of nothing: %+v, %v", d, err)
	}
	_, err = c.Get(ctx, "a", etcdapi.GetOptions{Revision: 1 << 40})
	wantCode(t, err, etcdapi.CodeFutureRevision)
	if _, err := c.Clientv3().Compact(ctx, r2.Revision+1); err != nil {
		t.Fatal(err)
	}
	_, err = c.Get(ctx, "a", etcdapi.GetOptions{Revision: r1.Revision})
	wantCode(t, err, etcdapi.CodeCompacted)
}

func TestPutConditions(t *testing.T) {
	c := etcdtest.Client(t)
	zero, first := int64(0), mustPut(t, c, "present", "v", etcdapi.PutOptions{}).Revision
	other, v, w := first-1, "v", "w"
	for _, test := range []struct {
		name    string
		key     string
		options etcdapi.PutOptions
		done    bool
	}{
		{"if_absent, absent", "absent", etcdapi.PutOptions{IfAbsent: true}, true},
		{"if_absent, present", "present", etcdapi.PutOptions{IfAbsent: true}, false},
		{"if_exists, absent", "absent", etcdapi.PutOptions{IfExists: true}, false},
		{"if_exists, present", "present", etcdapi.PutOptions{IfExists: true}, true},
		{"if_mod_revision", "present", etcdapi.PutOptions{IfModRevision: &first}, true},
		{"if_mod_revision, another", "present", etcdapi.PutOptions{IfModRevision: &other}, false},
		{"if_mod_revision 0, absent", "absent", etcdapi.PutOptions{IfModRevision: &zero}, true},
		{"if_mod_revision 0, present", "present", etcdapi.PutOptions{IfModRevision: &zero}, false},
		{"if_value", "present", etcdapi.PutOptions{IfValue: &v}, true},
		{"if_value, another", "present", etcdapi.PutOptions{IfValue: &w}, false},
		{"if_value, absent", "absent", etcdapi.PutOptions{IfValue: &v}, false},
		{"both", "present", etcdapi.PutOptions{IfValue: &v, IfModRevision: &first}, true},
		{"one of both", "present", etcdapi.PutOptions{IfValue: &v, IfModRevision: &other}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := value(t, c, test.key)
			test.options.PrevKV = true
			r := mustPut(t, c, test.key, "new", test.options)
			if r.Done != test.done || r.Revision == 0 {
				t.Fatalf("%+v", r)
			}
			if test.done {
				if text(r.Prev) != before || r.Current != nil || value(t, c, test.key) != "new" {
					t.Errorf("%+v, then %s", r, value(t, c, test.key))
				}
			} else if text(r.Current) != before || r.Prev != nil || value(t, c, test.key) != before {
				t.Errorf("%+v, then %s", r, value(t, c, test.key))
			}
			restore(t, c, &first)
		})
	}
}

// restore brings "present" and "absent" back, and its first revision up to date.
func restore(t *testing.T, c *etcdapi.Client, first *int64) {
	t.Helper()
	if _, err := c.Delete(etcdtest.Context(t), "absent", etcdapi.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	*first = mustPut(t, c, "present", "v", etcdapi.PutOptions{}).Revision
}

func TestDeleteConditions(t *testing.T) {
	c := etcdtest.Client(t)
	ctx := etcdtest.Context(t)
	revision := mustPut(t, c, "k", "v", etcdapi.PutOptions{}).Revision
	wrong, v, w := revision-1, "v", "w"
	for _, o := range []etcdapi.DeleteOptions{{IfModRevision: &wrong}, {IfValue: &w}, {IfValue: &v, IfModRevision: &wrong}} {
		if d, err := c.Delete(ctx, "k", o); err != nil || d.Done || d.Deleted != 0 || text(d.Current) != "v" {
			t.Errorf("%+v: %+v, %v", o, d, err)
		}
	}
	d, err := c.Delete(ctx, "k", etcdapi.DeleteOptions{IfModRevision: &revision, IfValue: &v, PrevKV: true})
	if err != nil || !d.Done || d.Deleted != 1 || text(d.Prev[0]) != "v" || d.Revision != revision+1 {
		t.Errorf("%+v, %v", d, err)
	}
	if d, err := c.Delete(ctx, "k", etcdapi.DeleteOptions{IfValue: &v}); err != nil || d.Done || d.Current != nil {
		t.Errorf("absent: %+v, %v", d, err)
	}
}

// TestUnknownOutcome: a write whose answer was lost says so; a read never does.
func TestUnknownOutcome(t *testing.T) {
	server := etcdtest.Start(t)
	proxy := etcdtest.NewProxy(t, server.Endpoint())
	c := etcdtest.Connect(t, etcdapi.Config{Endpoints: []string{proxy.Endpoint()}})
	ctx := etcdtest.Context(t)
	proxy.Stall()
	_, err := c.Put(ctx, "k", "v", etcdapi.PutOptions{Timeout: 30 * time.Millisecond})
	wantOutcome(t, err, etcdapi.CodeTimeout, etcdapi.OutcomeUnknown)
	_, err = c.Delete(ctx, "k", etcdapi.DeleteOptions{Timeout: 30 * time.Millisecond})
	wantOutcome(t, err, etcdapi.CodeTimeout, etcdapi.OutcomeUnknown)
	_, err = c.Get(ctx, "k", etcdapi.GetOptions{Timeout: 30 * time.Millisecond})
	wantOutcome(t, err, etcdapi.CodeTimeout, etcdapi.OutcomeNone)
	sent := make(chan error, 1)
	calls := &counter{before: func(any) { proxy.Cut() }}
	c.WrapKV(calls.wrap)
	go func() {
		_, err := c.Put(ctx, "k", "v", etcdapi.PutOptions{Timeout: 100 * time.Millisecond})
		sent <- err
	}()
	err = <-sent
	if code := etcdapi.CodeOf(err); code != etcdapi.CodeUnavailable && code != etcdapi.CodeTimeout {
		t.Errorf("set while the connection breaks: %v", err)
	}
	etcdtest.Eventually(t, "a set without a connection says so", func() bool {
		_, err = c.Put(ctx, "k", "v", etcdapi.PutOptions{Timeout: 200 * time.Millisecond})
		return etcdapi.CodeOf(err) == etcdapi.CodeUnavailable
	})
	wantOutcome(t, err, etcdapi.CodeUnavailable, etcdapi.OutcomeNone)
	calls.setBefore(nil)
	proxy.Heal()
	if got := value(t, c, "none"); got != "(absent)" {
		t.Errorf("after all: %s", got)
	}
}

func TestContradictions(t *testing.T) {
	c := etcdtest.Client(t)
	ctx := etcdtest.Context(t)
	zero, one, minus, v := int64(0), int64(1), int64(-1), "v"
	for name, o := range map[string]etcdapi.PutOptions{
		"lease and ttl":                 {Lease: 1, TTL: 1},
		"lease and keep_lease":          {Lease: 1, KeepLease: true},
		"ttl and keep_lease":            {TTL: 1, KeepLease: true},
		"negative ttl":                  {TTL: -1},
		"endless ttl":                   {TTL: 9000000001},
		"value and keep_value":          {KeepValue: true},
		"if_absent and if_exists":       {IfAbsent: true, IfExists: true},
		"if_absent and a value":         {IfAbsent: true, IfValue: &v},
		"if_absent and a revision":      {IfAbsent: true, IfModRevision: &one},
		"if_absent and keep_lease":      {IfAbsent: true, KeepLease: true},
		"revision 0 and if_exists":      {IfModRevision: &zero, IfExists: true},
		"revision 0 and a value":        {IfModRevision: &zero, IfValue: &v},
		"negative if_mod_revision":      {IfModRevision: &minus},
		"negative timeout of a set":     {Timeout: -1},
		"if_absent, also by revision 1": {IfAbsent: true, IfModRevision: &one},
	} {
		_, err := c.Put(ctx, "k", "v", o)
		if etcdapi.CodeOf(err) != etcdapi.CodeInvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, get := range []etcdapi.GetOptions{{Revision: -1}, {Timeout: -1}} {
		_, err := c.Get(ctx, "k", get)
		wantCode(t, err, etcdapi.CodeInvalidArgument)
		_, _, err = c.GetMany(ctx, []string{"k"}, get)
		wantCode(t, err, etcdapi.CodeInvalidArgument)
	}
	if r := mustPut(t, c, "fine", "v", etcdapi.PutOptions{IfAbsent: true, IfModRevision: &zero}); !r.Done {
		t.Errorf("two ways to say absent: %+v", r)
	}
	if n := leases(t, c); n != 0 {
		t.Errorf("%d leases", n)
	}
}

// TestRefusedBeforeSending: what etcd would refuse is not even sent.
func TestRefusedBeforeSending(t *testing.T) {
	c := etcdtest.Client(t)
	ctx := etcdtest.Context(t)
	calls := &counter{}
	c.WrapKV(calls.wrap)
	_, err := c.Get(ctx, "", etcdapi.GetOptions{})
	wantCode(t, err, etcdapi.CodeInvalidArgument)
	_, err = c.Put(ctx, "", "v", etcdapi.PutOptions{})
	wantCode(t, err, etcdapi.CodeInvalidArgument)
	_, err = c.Delete(ctx, "", etcdapi.DeleteOptions{})
	wantCode(t, err, etcdapi.CodeInvalidArgument)
	_, _, err = c.GetMany(ctx, []string{"a", ""}, etcdapi.GetOptions{})
	wantCode(t, err, etcdapi.CodeInvalidArgument)
	large := strings.Repeat("x", 3<<19)
	_, err = c.Put(ctx, "k", large, etcdapi.PutOptions{})
	wantCode(t, err, etcdapi.CodeRequestTooLarge)
	if !strings.Contains(err.Error(), "1572864") || !strings.Contains(err.Error(), "15728") {
		t.Errorf("both numbers, please: %v", err)
	}
	_, err = c.Put(ctx, "k", "v", etcdapi.PutOptions{IfValue: &large})
	wantCode(t, err, etcdapi.CodeRequestTooLarge)
	_, err = c.Delete(ctx, "k", etcdapi.DeleteOptions{IfValue: &large})
	wantCode(t, err, etcdapi.CodeRequestTooLarge)
	_, err = c.Get(ctx, large+"x", etcdapi.GetOptions{})
	wantCode(t, err, etcdapi.CodeRequestTooLarge)
	if n := calls.total(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	if r := mustPut(t, c, "k", strings.Repeat("x", 3<<19-1024), etcdapi.PutOptions{}); !r.Done {
		t.Errorf("just below the limit: %+v", r)
	}
}

// TestGetManyIsConsistent: two keys that are always written together are read together, hundreds of keys
// apart.
func TestGetManyIsConsistent(t *testing.T) {
	c := etcdtest.Client(t)
	ctx := etcdtest.Context(t)
	keys := make([]string, 300)
	for i := range keys {
		keys[i] = fmt.Sprintf("k%03d", i)
	}
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			v := fmt.Sprint(i)
			if _, err := c.Clientv3().Txn(ctx).Then(clientv3.OpPut(keys[0], v), clientv3.OpPut(keys[299], v)).Commit(); err != nil {
				t.Error(err)
				return
			}
		}
	})
	defer writer.Wait()
	defer close(stop)
	var last int64
	for range 100 {
		kvs, revision, err := c.GetMany(ctx, keys, etcdapi.GetOptions{})
		if err != nil || len(kvs) != 300 {
			t.Fatalf("%d, %v", len(kvs), err)
		}
		if text(kvs[0]) != text(kvs[299]) || kvs[7] != nil || revision < last {
			t.Fatalf("%s and %s at %d after %d", text(kvs[0]), text(kvs[299]), revision, last)
		}
		last = revision
	}
}

func TestGetMany(t *testing.T) {
	c := etcdtest.Client(t)
	ctx := etcdtest.Context(t)
	r := mustPut(t, c, "a", "1", etcdapi.PutOptions{})
	mustPut(t, c, "a", "2", etcdapi.PutOptions{})
	kvs, revision, err := c.GetMany(ctx, []string{"a", "none", "a"}, etcdapi.GetOptions{})
	if err != nil || len(kvs) != 3 || text(kvs[0]) != "2" || kvs[1] != nil || text(kvs[2]) != "2" || revision != r.Revision+1 {
		t.Errorf("%v at %d, %v", kvs, revision, err)
	}
	kvs, revision, err = c.GetMany(ctx, []string{"a", "none"}, etcdapi.GetOptions{Revision: r.Revision, Serializable: true})
	if err != nil || text(kvs[0]) != "1" || revision != r.Revision {
		t.Errorf("%v at %d, %v", kvs, revision, err)
	}
	if kvs, _, err := c.GetMany(ctx, nil, etcdapi.GetOptions{}); err != nil || len(kvs) != 0 {
		t.Errorf("of nothing: %v, %v", kvs, err)
	}
}

func TestStatus(t *testing.T) {
	server := etcdtest.Start(t)
	dead := etcdtest.NewProxy(t, server.Endpoint())
	c := etcdtest.Connect(t, etcdapi.Config{Endpoints: []string{dead.Endpoint(), server.Endpoint()}})
	ctx := etcdtest.Context(t)
	r := mustPut(t, c, "k", "v", etcdapi.PutOptions{})
	s, err := c.Status(ctx, "")
	if err != nil || s.Endpoint != dead.Endpoint() {
		t.Fatalf("%+v, %v", s, err)
	}
	if !s.IsLeader || s.IsLearner || s.Leader != s.MemberID || s.MemberID == "" || s.ClusterID == "" || s.Revision != r.Revision ||
		s.DBSize == 0 || s.DBSizeInUse == 0 || s.DBSizeQuota == 0 || s.RaftTerm == 0 || s.RaftIndex == 0 || s.RaftAppliedIndex == 0 ||
		!strings.HasPrefix(s.Version, "3.") || len(s.Errors) != 0 {
		t.Errorf("%+v", s)
	}
	dead.Cut()
	if s, err = c.Status(ctx, ""); err != nil || s.Endpoint != server.Endpoint() {
		t.Errorf("with the first one dead: %+v, %v", s, err)
	}
	_, err = c.Status(ctx, dead.Endpoint())
	wantCode(t, err, etcdapi.CodeUnavailable)
	_, err = c.Status(ctx, "nonsense")
	wantCode(t, err, etcdapi.CodeInvalidArgument)
}

// TestGetManySurvivesABrokenConnection: it is a read, and is sent again.
func TestGetManySurvivesABrokenConnection(t *testing.T) {
	server := etcdtest.Start(t)
	proxy := etcdtest.NewProxy(t, server.Endpoint())
	c := etcdtest.Connect(t, etcdapi.Config{Endpoints: []string{proxy.Endpoint()}, CommandTimeout: 20 * time.Second})
	mustPut(t, c, "a", "1", etcdapi.PutOptions{})
	proxy.Stall()
	errc := make(chan error, 1)
	go func() {
		kvs, _, err := c.GetMany(etcdtest.Context(t), []string{"a", "b"}, etcdapi.GetOptions{})
		if err == nil && (text(kvs[0]) != "1" || kvs[1] != nil) {
			err = fmt.Errorf("%v", kvs)
		}
		errc <- err
	}()
	etcdtest.Eventually(t, "the request is on its way", func() bool { return proxy.Held() > 0 })
	proxy.Cut()
	proxy.Heal()
	if err := <-errc; err != nil {
		t.Error(err)
	}
}
