package etcdapi

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// KV is a key with its value and revisions, as etcd sent it. It is handed on and never copied: read only.
type KV = mvccpb.KeyValue

// Client is a connection to an etcd cluster. All its methods may be called from any goroutine; all that
// ask etcd for something wait for the answer.
type Client struct {
	config   Config
	v3       *clientv3.Client
	remote   pb.KVClient       // with clientv3's retries of reads
	callOpts []grpc.CallOption // as clientv3's own calls have them
	gets     *coalescer
	queries  queryState
	watches  watchStreams
	cleanups cleanups
}

// reconnect replaces grpc's backoff, which grows to two minutes: a watch should be back soon after its cluster is.
var reconnect = backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 3 * time.Second}

// probeInterval is the pause between two looks at an endpoint that refuses.
const probeInterval = 20 * time.Millisecond

// Open connects to the cluster and makes sure that an etcd answers: any answer of etcd's will do,
// "permission denied" too. It waits at most Config.DialTimeout. The error has code unavailable and names
// the endpoints and the cause, or unauthenticated when etcd refused the credentials, or
// invalid_argument for a Config that cannot work. The client outlives ctx; whoever opens it closes it.
func Open(ctx context.Context, config Config) (*Client, error) {
	if err := config.Validate(); err != nil {
		return nil, wrap("connect", "", false, err)
	}
	config, err := config.withDefaults().discover()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, config.DialTimeout, errDialTimeout)
	defer cancel()
	v3, err := dial(ctx, config)
	if err != nil {
		return nil, wrap("connect", "", false, err)
	}
	c := &Client{
		config:   config,
		v3:       v3,
		remote:   clientv3.RetryKVClient(v3),
		callOpts: callOptions(config),
	}
	c.gets = newCoalescer(c)
	return c, nil
}

var errDialTimeout = errors.New("dial timeout")

// dial makes the connection, logs in, and probes.
func dial(ctx context.Context, config Config) (*clientv3.Client, error) {
	settings, err := config.clientv3Config(clientLogger(config.Logger))
	if err != nil {
		return nil, err
	}
	var last lastFailure
	base, cancel := context.WithCancel(context.Background())
	settings.Context = base
	settings.Logger = clientLogger(config.Logger)
	settings.DialOptions = []grpc.DialOption{
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: reconnect, MinConnectTimeout: config.DialTimeout}),
		grpc.WithChainUnaryInterceptor(last.record),
	}
	stop := context.AfterFunc(ctx, cancel) // clientv3.New takes no context: it logs in on the client's own
	v3, err := clientv3.New(*settings)
	if err == nil {
		if err = probe(ctx, v3); err == nil && stop() {
			last.opened.Store(true)
			return v3, nil
		}
		v3.Close()
	}
	stop()
	cancel()
	return nil, last.explain(ctx, config, err)
}

// probe asks for a key until something answers. A serializable read needs no leader.
func probe(ctx context.Context, v3 *clientv3.Client) error {
	kv := pb.NewKVClient(v3.ActiveConnection())
	for {
		_, err := kv.Range(ctx, &pb.RangeRequest{Key: []byte("health"), Serializable: true})
		if err == nil || fromEtcd(err) {
			return nil
		}
		if status.Code(err) != codes.Unavailable || hopeless(err) {
			return err
		}
		select {
		case <-time.After(probeInterval):
		case <-ctx.Done():
			return err
		}
	}
}

// fromEtcd tells that err is the answer of an etcd to a client that may go on.
func fromEtcd(err error) bool {
	m, ok := etcdErrors[rpctypes.ErrorDesc(err)]
	switch {
	case !ok, m.code == CodeUnavailable:
		return false
	case m.code == CodeUnauthenticated: // without credentials the client may still have a use
		return errors.Is(rpctypes.Error(err), rpctypes.ErrUserEmpty)
	}
	return true
}

// hopeless tells that trying again within the dial timeout will not help.
func hopeless(err error) bool {
	text := err.Error()
	return strings.Contains(text, "authentication handshake failed: tls:") || strings.Contains(text, "x509:") ||
		strings.Contains(text, "no such host")
}

// lastFailure remembers what grpc said last: clientv3 replaces it by "context deadline exceeded".
type lastFailure struct {
	err    atomic.Pointer[error]
	opened atomic.Bool
}

// record is a grpc interceptor, below clientv3's. It keeps the last failure that says more than "time is
// up", and ends clientv3's retries on a client that was closed, which would go on for seconds.
func (l *lastFailure) record(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	err := invoke(ctx, method, req, reply, cc, opts...)
	switch {
	case err == nil:
	case !l.opened.Load():
		if l.err.Load() == nil || ctx.Err() == nil || notSent(err.Error()) {
			l.err.Store(&err)
		}
	case status.Code(err) == codes.Canceled && strings.Contains(err.Error(), "client connection is closing"):
		return errClosed
	}
	return err
}

// errClosed stands for grpc's own error. Its request was not sent.
var errClosed = status.Error(codes.Aborted, "the client is closed")

// explain is the error of a connection that could not be made.
func (l *lastFailure) explain(ctx context.Context, config Config, err error) error {
	l.opened.Store(true)
	if cause := l.err.Load(); cause != nil {
		err = *cause
	}
	if err == nil {
		err = ctx.Err()
	}
	e := classify(err)
	e.Op, e.Err, e.Outcome = "connect", err, OutcomeNone
	where := strings.Join(config.Endpoints, ", ")
	switch {
	case ctx.Err() != nil && !errors.Is(context.Cause(ctx), errDialTimeout) && !errors.Is(ctx.Err(), context.DeadlineExceeded):
		e.Code, e.Message, e.Hint, e.Retryable = CodeCancelled, "cancelled while connecting to "+where, "", false
	case e.Code == CodeUnauthenticated:
		e.Message = fmt.Sprintf("etcd at %s: %s", where, e.Message)
	default:
		e.Code, e.Retryable = CodeUnavailable, true
		e.Message = fmt.Sprintf("no etcd answers at %s: %s", where, connectCause(description(err)))
		e.Hint = connectHint(config, description(err))
	}
	return e
}

// connectHint says what to try.
func connectHint(config Config, text string) string {
	switch {
	case strings.Contains(text, "first record does not look like a TLS handshake"), strings.Contains(text, "handshake failed: EOF"):
		return "if that server does not use TLS, write its endpoint with http://"
	case strings.Contains(text, "x509:"):
		return "name the server's certificate authority with --cacert"
	case strings.Contains(text, "tls:") || strings.Contains(text, "certificate required"):
		return "the server wants a client certificate or another TLS version: set --cert and --key"
	case strings.Contains(text, "error reading server preface") && !strings.Contains(text, silence):
		return "if that server uses TLS, write its endpoint with https:// and set --cacert"
	case strings.Contains(text, "connection refused"):
		return "start etcd there, or name another with --endpoints or ETCDCTL_ENDPOINTS"
	case strings.Contains(text, "no such host"):
		return "check the host's name in --endpoints or ETCDCTL_ENDPOINTS"
	}
	return fmt.Sprintf("check --endpoints (ETCDCTL_ENDPOINTS) and the network; waited %v (--dial-timeout)", config.DialTimeout)
}

// callOptions are those of clientv3's own calls, which it does not export.
func callOptions(config Config) []grpc.CallOption {
	receive := config.MaxCallRecvBytes
	if receive == 0 {
		receive = 1<<31 - 1
	}
	return []grpc.CallOption{
		grpc.WaitForReady(true),
		grpc.ForceCodecV2(newCodec()),
		grpc.MaxCallSendMsgSize(config.MaxCallSendBytes),
		grpc.MaxCallRecvMsgSize(receive),
	}
}

// Config is the configuration that the client was opened with, defaults and discovered endpoints filled in.
func (c *Client) Config() Config { return c.config }

// Clientv3 is the client underneath, for tests and benchmarks: nothing of this package's promises holds there.
func (c *Client) Clientv3() *clientv3.Client { return c.v3 }

// Close ends what is still running on the client and closes its connections. Cleanups for callers that
// were cancelled get a second to finish first. Calling it again is harmless.
func (c *Client) Close() error {
	donec := c.cleanups.close()
	select {
	case <-donec:
	case <-time.After(cleanupWithin):
	}
	defer func() { <-donec }() // they fail at once when the connection is closed
	if err := c.v3.Close(); err != nil && !errors.Is(err, context.Canceled) && status.Code(err) != codes.Canceled {
		return wrap("close", "", false, err)
	}
	return nil
}

// withTimeout gives a request its deadline: timeout, or the client's own when that is zero.
func (c *Client) withTimeout(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, c.timeout(timeout))
}

func (c *Client) timeout(asked time.Duration) time.Duration {
	if asked > 0 {
		return asked
	}
	return c.config.CommandTimeout
}
