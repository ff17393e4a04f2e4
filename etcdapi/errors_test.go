package etcdapi_test

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"etcdlua/etcdapi"
)

// TestEveryErrorOfEtcdHasACode walks the source of rpctypes: an error that a new release of etcd brings
// must be given a meaning.
func TestEveryErrorOfEtcdHasACode(t *testing.T) {
	dir, err := exec.Command("go", "list", "-f", "{{.Dir}}", "go.etcd.io/etcd/api/v3/v3rpc/rpctypes").Output()
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(dir)), "error.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ast.Inspect(file, func(node ast.Node) bool {
		call, ok := node.(*ast.CallExpr)
		if !ok || len(call.Args) != 2 {
			return true
		}
		if fun, ok := call.Fun.(*ast.SelectorExpr); !ok || fun.Sel.Name != "Error" {
			return true
		}
		literal, ok := call.Args[1].(*ast.BasicLit)
		if !ok {
			return true
		}
		text, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		n++
		if !etcdapi.EtcdErrors(text) {
			t.Errorf("%q has no code", text)
		}
		return true
	})
	if n < 50 {
		t.Errorf("found only %d errors in rpctypes: is the source written differently now?", n)
	}
}

func TestWrap(t *testing.T) {
	const refused = `latest balancer error: connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:1: connect: connection refused"`
	for _, test := range []struct {
		name    string
		err     error
		code    etcdapi.Code
		outcome etcdapi.Outcome // of a write
		retry   bool
	}{
		{"denied", rpctypes.ErrGRPCPermissionDenied, etcdapi.CodePermissionDenied, etcdapi.OutcomeNone, false},
		{"client form", rpctypes.ErrPermissionDenied, etcdapi.CodePermissionDenied, etcdapi.OutcomeNone, false},
		{"compacted", rpctypes.ErrCompacted, etcdapi.CodeCompacted, etcdapi.OutcomeNone, false},
		{"leader changed", rpctypes.ErrGRPCLeaderChanged, etcdapi.CodeLeaderChanged, etcdapi.OutcomeUnknown, true},
		{"server timeout", rpctypes.ErrGRPCTimeout, etcdapi.CodeTimeout, etcdapi.OutcomeUnknown, true},
		{"quota", rpctypes.ErrGRPCNoSpace, etcdapi.CodeNoSpace, etcdapi.OutcomeUnknown, false},
		{"cancelled", context.Canceled, etcdapi.CodeCancelled, etcdapi.OutcomeUnknown, false},
		{"deadline", context.DeadlineExceeded, etcdapi.CodeTimeout, etcdapi.OutcomeUnknown, true},
		{"cancelled in grpc", status.Error(codes.Canceled, "context canceled"), etcdapi.CodeCancelled, etcdapi.OutcomeUnknown, false},
		{"deadline in grpc", status.Error(codes.DeadlineExceeded, "context deadline exceeded"), etcdapi.CodeTimeout, etcdapi.OutcomeUnknown, true},
		{"connection lost", status.Error(codes.Unavailable, "error reading from server: EOF"), etcdapi.CodeUnavailable, etcdapi.OutcomeUnknown, true},
		{"never connected", status.Error(codes.DeadlineExceeded, refused), etcdapi.CodeUnavailable, etcdapi.OutcomeNone, true},
		{"cancelled before a connection", status.Error(codes.Canceled, refused), etcdapi.CodeCancelled, etcdapi.OutcomeNone, false},
		{"closed", status.Error(codes.Canceled, "grpc: the client connection is closing"), etcdapi.CodeClosed, etcdapi.OutcomeNone, false},
		{"too large to send", status.Error(codes.ResourceExhausted, "trying to send message larger than max (3 vs. 2)"), etcdapi.CodeRequestTooLarge, etcdapi.OutcomeNone, false},
		{"too large to receive", status.Error(codes.ResourceExhausted, "grpc: received message larger than max (3 vs. 2)"), etcdapi.CodeRequestTooLarge, etcdapi.OutcomeUnknown, false},
		{"old server", status.Error(codes.Unimplemented, "unknown method RangeStream"), etcdapi.CodeNotSupported, etcdapi.OutcomeNone, false},
		{"anything else", errors.New("surprise"), etcdapi.CodeInternal, etcdapi.OutcomeUnknown, false},
	} {
		for _, write := range []bool{true, false} {
			err := etcdapi.Wrap("set", "k", write, test.err)
			e, ok := err.(*etcdapi.Error)
			if !ok {
				t.Fatalf("%s: %T", test.name, err)
			}
			outcome := test.outcome
			if !write {
				outcome = etcdapi.OutcomeNone
			}
			if e.Code != test.code || e.Outcome != outcome || e.Retryable != test.retry {
				t.Errorf("%s, write %v: %s, %s, retryable %v", test.name, write, e.Code, e.Outcome, e.Retryable)
			}
			if e.Op != "set" || e.Key != "k" || !errors.Is(err, test.err) || e.Message == "" {
				t.Errorf("%s: %#v", test.name, e)
			}
		}
	}
}

func TestWrapKeepsWhatIsWrapped(t *testing.T) {
	if etcdapi.Wrap("get", "k", false, nil) != nil {
		t.Error("no error is one")
	}
	inner := etcdapi.Wrap("get", "k", false, rpctypes.ErrCompacted)
	if outer := etcdapi.Wrap("query", "p", true, inner); outer != inner {
		t.Errorf("%v", outer)
	}
	if got := etcdapi.CodeOf(fmt.Errorf("more: %w", inner)); got != etcdapi.CodeCompacted {
		t.Errorf("code of a wrapped one: %s", got)
	}
	if got := etcdapi.CodeOf(errors.New("x")); got != etcdapi.CodeInternal || etcdapi.CodeOf(nil) != "" {
		t.Errorf("code of a foreign one: %q", got)
	}
}

func TestErrorReads(t *testing.T) {
	err := etcdapi.Wrap("set", "/a", true, rpctypes.ErrGRPCTimeout)
	want := `set "/a": request timed out (timeout); it may have been applied; the cluster is slow or lost its leader: check it, then try again`
	if err.Error() != want {
		t.Errorf("%s", err)
	}
	long := etcdapi.Wrap("get", strings.Repeat("k", 1<<20), false, rpctypes.ErrCompacted)
	if len(long.Error()) > 400 {
		t.Errorf("an error of %d bytes", len(long.Error()))
	}
}
