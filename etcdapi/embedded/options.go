package embedded

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"google.golang.org/grpc"
)

// Options says where a server listens and keeps its data. The zero value is a throw-away server on a
// free port of 127.0.0.1.
type Options struct {
	// DataDir is the folder that keeps the data; it is made when it does not exist, and every write is
	// synced to disk. Empty: a folder in the system's temporary folder, without syncing, removed by Close.
	DataDir string
	// Listen is "host:port" on the loopback interface; port 0, or an empty Listen, takes a free port.
	Listen string
	// Logger receives what etcd logs: its errors as errors, everything else at debug level.
	// Nil is slog.Default().
	Logger *slog.Logger
	// NoRangeStream answers RangeStream as a server before 3.7 does, for tests and benchmarks of what a
	// client does then.
	NoRangeStream bool
}

const (
	tick     = 10 * time.Millisecond  // 10/100 is ready in some 50 ms; etcd's own 100/1000 takes 600
	election = 100 * time.Millisecond // of a single member, so nobody else can be slower than this
	// peerURL is what the only member tells of itself. Nothing listens there: a server that never has a
	// second member needs no peer port, and so cannot collide with an etcd that runs on this machine.
	peerURL = "http://127.0.0.1:2380"
	// segment is the size of a log file, preallocated. etcd's 64 MB are real memory on a tmpfs.
	segment = 4 << 20
)

// smallSegments changes etcd's package-level size once, before the first server of the process starts,
// and so without a race. Reading a log does not depend on it: folders with larger files open as well.
var smallSegments = sync.OnceFunc(func() { wal.SegmentSizeBytes = segment })

// ListenError says that Options.Listen is no address that a server may listen on.
type ListenError struct{ Listen, Why string }

func (e *ListenError) Error() string { return fmt.Sprintf("listen address %q: %s", e.Listen, e.Why) }

// listenHost splits and checks the address; the port may be "0".
func listenHost(listen string) (host, port string, err error) {
	if listen == "" {
		return "127.0.0.1", "0", nil
	}
	host, port, err = net.SplitHostPort(listen)
	if err != nil {
		return "", "", &ListenError{listen, "not host:port (like 127.0.0.1:2379)"}
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", "", &ListenError{listen, fmt.Sprintf("%q is not a port number (0 to 65535)", port)}
	} else {
		port = strconv.FormatUint(n, 10)
	}
	ip := net.ParseIP(host)
	if host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", "", &ListenError{listen, "the embedded etcd has no authentication, so it listens on the loopback interface only (127.0.0.1, [::1] or localhost); run a real etcd for others to reach"}
	}
	return host, port, nil
}

// freePort asks the kernel for a port that nobody has. Somebody may take it before etcd does, which
// has no way to be handed a listener: start tries again then.
func freePort(host string) (string, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return "", fmt.Errorf("no free port on %s: %w", host, err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}

// dataDir returns the folder to use, and whether it is ours to remove.
func dataDir(dir string) (path string, throwAway bool, err error) {
	if dir == "" {
		path, err = os.MkdirTemp("", "etcdlua-etcd-")
		if err != nil {
			return "", false, fmt.Errorf("no temporary folder for the embedded etcd: %w; set TMPDIR to a folder that can be written", err)
		}
		return path, true, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", false, fmt.Errorf("data folder %q of the embedded etcd: %w", dir, err)
	}
	return dir, false, checkUnlocked(dir)
}

// checkUnlocked fails when another server has the folder open: etcd itself would wait for its lock forever.
func checkUnlocked(dir string) error {
	file := filepath.Join(dir, "member", "snap", "db")
	if _, err := os.Stat(file); err != nil {
		return nil // a new folder, or one that etcd will complain about better than this function could
	}
	db, err := bbolt.Open(file, 0o600, &bbolt.Options{ReadOnly: true, Timeout: 100 * time.Millisecond})
	if errors.Is(err, bbolterrors.ErrTimeout) {
		return fmt.Errorf("data folder %q: another etcd has it open; stop that one, or use another folder", dir)
	}
	if err != nil {
		return fmt.Errorf("data folder %q: cannot open the database %s (%w); use another folder, or a copy of this one", dir, file, err)
	}
	return db.Close()
}

// config is the server's whole configuration.
func (s *Server) config(host, port string) *embed.Config {
	client := url.URL{Scheme: "http", Host: net.JoinHostPort(host, port)}
	peer, err := url.Parse(peerURL)
	if err != nil {
		panic(err)
	}
	cfg := embed.NewConfig()
	cfg.Name = "etcdlua"
	cfg.Dir = s.dir
	cfg.ListenPeerUrls = nil
	cfg.AdvertisePeerUrls = []url.URL{*peer}
	cfg.ListenClientUrls = []url.URL{client}
	cfg.AdvertiseClientUrls = []url.URL{client}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	cfg.InitialClusterToken = filepath.Base(s.dir) // so that two throw-away servers differ in their cluster id
	cfg.TickMs = uint(tick.Milliseconds())
	cfg.ElectionMs = uint(election.Milliseconds())
	cfg.UnsafeNoFsync = s.throwAway
	cfg.GRPCKeepAliveMinTime = time.Second // lets a client with a short keep-alive stay, as on a real network it may not
	cfg.GRPCAdditionalServerOptions = []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(s.interruptUnary),
		grpc.ChainStreamInterceptor(s.interruptStream),
	}
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(s.zapLogger())
	return cfg
}
