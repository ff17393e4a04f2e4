package commands

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	lua "github.com/yuin/gopher-lua"
	"go.uber.org/goleak"

	"etcdlua/etcdapi"
	"etcdlua/runtime"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// runIn runs the program in this process.
func runIn(ctx context.Context, stdin string, args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = Run(ctx, args, Streams{In: strings.NewReader(stdin), Out: &out, Err: &err})
	return code, out.String(), err.String()
}

// The rest of what a shell can see is in testscripts/cli. This is here for goleak:
// nothing of a run is left in the process.
func TestRunLeavesNothingBehind(t *testing.T) {
	code, out, stderr := runIn(t.Context(), "print(io.read())", "run", "--embedded", "-")
	if code != 0 || out != "nil\n" || stderr != "" {
		t.Errorf("exit code %d, output %q, errors %q", code, out, stderr)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	ready := writerFunc(func([]byte) { cancel(&Interrupted{syscall.SIGTERM}) })
	code := Run(ctx, []string{"eval", "--embedded", `io.stderr:write("ready") task.sleep(3600)`},
		Streams{In: strings.NewReader(""), Out: io.Discard, Err: ready})
	if code != 143 {
		t.Errorf("exit code %d", code)
	}
}

type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) { f(p); return len(p), nil }

func TestExitCode(t *testing.T) {
	script := func(src string, modules ...runtime.Module) error { return runLua(t, src, modules...) }
	boom := runtime.Module{Name: "boom", Open: func(h *runtime.Host) lua.LValue {
		return h.NewFunction(func(*lua.LState) int { panic("boom") })
	}}
	raising := func(code etcdapi.Code) error {
		return &runtime.Error{Code: runtime.Code(code), Message: "x"}
	}
	for _, c := range []struct {
		name string
		err  error
		want int
	}{
		{"nothing", nil, 0},
		{"a raised string", script(`error("x")`), 1},
		{"os.exit", script(`os.exit(3)`), 3},
		{"os.exit out of range", script(`os.exit(-1)`), 255},
		{"usage", usageErrorf("x"), 2},
		{"a Go panic in a host function, even under pcall", script(`pcall(boom)`, boom), 70},
		{"a Go panic in a command", &panicError{value: "x"}, 70},
		{"SIGINT", &Interrupted{syscall.SIGINT}, 130},
		{"SIGINT and a stuck task", errors.Join(&Interrupted{syscall.SIGINT}, &runtime.StuckError{}), 130},
		{"a closed pipe", &runtime.OutputError{Err: syscall.EPIPE}, 141},
		{"a full disk", &runtime.OutputError{Err: syscall.ENOSPC}, 1},
		{"a socket's closed pipe", syscall.EPIPE, 1},
		{"unavailable", raising(etcdapi.CodeUnavailable), 3},
		{"no leader", raising(etcdapi.CodeNoLeader), 3},
		{"permission denied", raising(etcdapi.CodePermissionDenied), 4},
		{"guarded", raising(etcdapi.CodeGuarded), 4},
		{"timeout", raising(etcdapi.CodeTimeout), 6},
		{"lock lost", raising(etcdapi.CodeLockLost), 7},
		{"leadership lost", raising(etcdapi.CodeLeadershipLost), 7},
		{"any other code", raising(etcdapi.CodeCompacted), 1},
		{"wrong credentials while connecting", connectError(t.Context(), &etcdapi.Error{Code: etcdapi.CodeUnauthenticated}), 4},
		{"a password file that is not there", connectError(t.Context(), &etcdapi.Error{Code: etcdapi.CodeIO}), 2},
		{"anything else while connecting", connectError(t.Context(), errors.New("x")), 3},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%s: %d, want %d (%v)", c.name, got, c.want, c.err)
		}
	}
}

func runLua(t *testing.T, src string, modules ...runtime.Module) error {
	t.Helper()
	s, err := runtime.Compile("t.lua", "", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return runtime.New(runtime.Options{Modules: modules}).Run(t.Context(), s)
}

func TestReportOfAPanic(t *testing.T) {
	boom := runtime.Module{Name: "boom", Open: func(h *runtime.Host) lua.LValue {
		return h.NewFunction(func(*lua.LState) int { panic("kaboom") })
	}}
	text := errorText(runLua(t, "pcall(boom)", boom))
	for _, want := range []string{"bug of etcdlua", "kaboom", "commands_test.go"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestPanicInACommandIsReported(t *testing.T) {
	var stderr bytes.Buffer
	code := Run(t.Context(), []string{"eval", "--embedded", "--user", "x", "--endpoints", "127.0.0.1:1", "x = 1"}, Streams{
		In: nil, Out: io.Discard, Err: &stderr, AskPassword: func(context.Context, string) (string, error) { panic("kaboom") },
	})
	if code != 2 { // --embedded and --endpoints exclude each other: nothing is asked
		t.Errorf("exit code %d: %s", code, &stderr)
	}
	code = Run(t.Context(), []string{"eval", "--user", "x", "--endpoints", "127.0.0.1:1", "x = 1"}, Streams{
		In: nil, Out: io.Discard, Err: &stderr, AskPassword: func(context.Context, string) (string, error) { panic("kaboom") },
	})
	if code != 70 || !strings.Contains(stderr.String(), "kaboom") {
		t.Errorf("exit code %d: %s", code, &stderr)
	}
}

// readerThatHangs says that it is read, and does not answer before the test ends.
type readerThatHangs struct{ readc, endc chan struct{} }

func (r readerThatHangs) Read([]byte) (int, error) {
	close(r.readc)
	<-r.endc
	return 0, io.EOF
}

func TestSignalWhileTheScriptIsRead(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	in := readerThatHangs{make(chan struct{}), make(chan struct{})}
	defer close(in.endc)
	go func() {
		<-in.readc
		cancel(&Interrupted{Signal: syscall.SIGINT})
	}()
	var stderr bytes.Buffer
	if code := Run(ctx, []string{"run", "-"}, Streams{In: in, Out: io.Discard, Err: &stderr}); code != 130 || stderr.Len() > 0 {
		t.Errorf("exit code %d: %s", code, &stderr)
	}
}

func TestPasswordIsAskedForOnlyWhereItIsMissing(t *testing.T) {
	asked := 0
	c := &call{ctx: t.Context(), program: &program{streams: Streams{AskPassword: func(context.Context, string) (string, error) { asked++; return "typed", nil }}}}
	for _, s := range []struct {
		config etcdapi.Config
		want   string
		asked  int
	}{
		{etcdapi.Config{User: "root"}, "typed", 1},
		{etcdapi.Config{User: "root:given"}, "", 0},
		{etcdapi.Config{User: "root", Password: "given"}, "given", 0},
		{etcdapi.Config{User: "root", PasswordFile: "f"}, "", 0},
		{etcdapi.Config{}, "", 0},
	} {
		asked = 0
		if err := c.askPassword(&s.config); err != nil || s.config.Password != s.want || asked != s.asked {
			t.Errorf("user %q: password %q, asked %d times, %v", s.config.User, s.config.Password, asked, err)
		}
	}
}

// etcdctlFlags are the connection flags of etcdctl 3.7.3 (ctlv3/ctl.go).
var etcdctlFlags = []string{"endpoints", "dial-timeout", "command-timeout", "keepalive-time", "keepalive-timeout",
	"max-request-bytes", "max-recv-bytes", "insecure-transport", "insecure-discovery", "insecure-skip-tls-verify",
	"cert", "key", "cacert", "auth-jwt-token", "user", "password", "discovery-srv", "discovery-srv-name"}

func TestSettingsAreThoseOfEtcdctl(t *testing.T) {
	var theirs []string
	for _, s := range settings() {
		if !s.ours {
			theirs = append(theirs, s.name)
		}
	}
	slices.Sort(theirs)
	want := slices.Clone(etcdctlFlags)
	slices.Sort(want)
	if !slices.Equal(theirs, want) {
		t.Errorf("got %q, want %q", theirs, want)
	}
}

// Every setting that is said reaches the client's configuration.
func TestConfigOfSettings(t *testing.T) {
	values := map[string]string{"endpoints": "unix:/a,unix:/b", "discovery-srv": "d", "discovery-srv-name": "n",
		"insecure-discovery": "false", "cacert": "a", "cert": "b", "key": "c", "insecure-transport": "false",
		"insecure-skip-tls-verify": "true", "user": "u", "password": "p", "dial-timeout": "1s", "command-timeout": "2",
		"keepalive-time": "3s", "keepalive-timeout": "4s", "max-request-bytes": "5", "max-recv-bytes": "60000000", "max-txn-ops": "7"}
	var list []said
	for _, s := range settings() {
		r := said{setting: s, value: s.value, source: "default"}
		if v := values[s.name]; v != "" {
			r.value, r.source = v, "--"+s.name
		}
		list = append(list, r)
	}
	got, err := config(list)
	if err != nil {
		t.Fatal(err)
	}
	want := etcdapi.Config{
		Endpoints: []string{"unix:/a", "unix:/b"}, DiscoverySRV: "d", DiscoverySRVName: "n",
		CACert: "a", Cert: "b", Key: "c", InsecureSkipTLSVerify: true, User: "u", Password: "p",
		DialTimeout: time.Second, CommandTimeout: 2 * time.Second, KeepAliveTime: 3 * time.Second, KeepAliveTimeout: 4 * time.Second,
		MaxRequestBytes: 5, MaxCallRecvBytes: 60000000, MaxTxnOps: 7,
	}
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

func TestTextLog(t *testing.T) {
	var b bytes.Buffer
	log := slog.New(newTextHandler(&b, slog.LevelInfo, "-"))
	log.Debug("hidden")
	log.Info("plain")
	log.With("a", 1).WithGroup("g").Warn("two\nlines", "level", "own", "time", "x y")
	const want = "- INFO  plain\n- WARN  \"two\\nlines\" a=1 g.level=own g.time=\"x y\"\n"
	if b.String() != want {
		t.Errorf("got %q", &b)
	}
	b.Reset()
	log.Info("m", "level", "own", "msg", "own", "time", "own")
	if b.String() != "- INFO  m level=own msg=own time=own\n" {
		t.Errorf("got %q", &b)
	}
}
