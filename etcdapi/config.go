package etcdapi

import (
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strings"
	"time"
)

// Config says how to reach an etcd. It is plain data; the zero value of a field is its default. The
// fields mean what etcdctl's flags and variables of the names given mean.
type Config struct {
	// Endpoints are "host:port", "http://host:port", "https://host:port", "unix:/path" or "unixs:/path"
	// (--endpoints, ETCDCTL_ENDPOINTS). The first one's scheme decides for all. Without any, and without
	// DiscoverySRV, it is 127.0.0.1:2379.
	Endpoints []string
	// DiscoverySRV is a domain whose DNS SRV records name the endpoints
	// (--discovery-srv, ETCDCTL_DISCOVERY_SRV), and takes the place of Endpoints.
	DiscoverySRV string
	// DiscoverySRVName is the suffix of the service name that is asked for
	// (--discovery-srv-name, ETCDCTL_DISCOVERY_SRV_NAME).
	DiscoverySRVName string
	// InsecureDiscovery accepts http endpoints from DNS; without it they are dropped when there are
	// https ones to choose from and refused when there are none (--insecure-discovery,
	// ETCDCTL_INSECURE_DISCOVERY, true by default in etcdctl).
	InsecureDiscovery bool

	// CACert is a file with the certificates to trust (--cacert, ETCDCTL_CACERT).
	CACert string
	// Cert and Key are files with the client's certificate and its key (--cert, ETCDCTL_CERT; --key, ETCDCTL_KEY).
	Cert, Key string
	// InsecureTransport talks without TLS to endpoints that say neither http nor https, unless one of
	// the three files is set (--insecure-transport, ETCDCTL_INSECURE_TRANSPORT, true by default in etcdctl).
	InsecureTransport bool
	// InsecureSkipTLSVerify uses TLS without checking who answers (--insecure-skip-tls-verify,
	// ETCDCTL_INSECURE_SKIP_TLS_VERIFY).
	InsecureSkipTLSVerify bool

	// User is a user's name, or "name:password" (--user, ETCDCTL_USER).
	User string
	// Password is User's password, and wins over one in User (--password, ETCDCTL_PASSWORD).
	Password string
	// PasswordFile is a file that holds the password; a newline at its end is not part of it. It is read
	// by Open. etcdctl has no such flag.
	PasswordFile string
	// Token is a JWT, used instead of a user and a password (--auth-jwt-token, ETCDCTL_AUTH_JWT_TOKEN).
	Token string

	// DialTimeout bounds Open, 2s by default (--dial-timeout, ETCDCTL_DIAL_TIMEOUT).
	DialTimeout time.Duration
	// CommandTimeout bounds each request that has no timeout of its own, 5s by default
	// (--command-timeout, ETCDCTL_COMMAND_TIMEOUT).
	CommandTimeout time.Duration
	// KeepAliveTime is how long a connection may be silent before it is probed, 2s by default; grpc makes
	// that 10s at least (--keepalive-time, ETCDCTL_KEEPALIVE_TIME).
	KeepAliveTime time.Duration
	// KeepAliveTimeout is how long such a probe may take before the connection is given up, 6s by default
	// (--keepalive-timeout, ETCDCTL_KEEPALIVE_TIMEOUT).
	KeepAliveTimeout time.Duration

	// MaxRequestBytes is the server's --max-request-bytes, 1.5 MiB by default. A client cannot ask for it.
	MaxRequestBytes int
	// MaxTxnOps is the server's --max-txn-ops, 128 by default. A client cannot ask for it.
	MaxTxnOps int
	// MaxCallSendBytes is the largest message that is sent, 2 MiB by default, and at least somewhat over
	// MaxRequestBytes (--max-request-bytes of etcdctl).
	MaxCallSendBytes int
	// MaxCallRecvBytes is the largest message that is received, without a limit by default
	// (--max-recv-bytes of etcdctl).
	MaxCallRecvBytes int

	// Logger receives what clientv3 logs: what it retries at debug level, faults as warnings.
	// Nil is slog.Default().
	Logger *slog.Logger
}

const (
	defaultEndpoint       = "127.0.0.1:2379"
	defaultDialTimeout    = 2 * time.Second
	defaultCommandTimeout = 5 * time.Second
	defaultKeepAliveTime  = 2 * time.Second
	defaultKeepAliveWait  = 6 * time.Second
	defaultRequestBytes   = 3 << 19 // 1.5 MiB, embed.DefaultMaxRequestBytes
	defaultTxnOps         = 128     // embed.DefaultMaxTxnOps
	defaultSendBytes      = 2 << 20
	sendOverhead          = 512 << 10 // what etcd itself adds to its request limit for a message
)

// Validate reports the first field that cannot be used, with code invalid_argument. It reads no file
// and asks no server.
func (c Config) Validate() error {
	for _, ep := range c.Endpoints {
		if err := validEndpoint(ep); err != nil {
			return err
		}
	}
	switch {
	case (c.Cert == "") != (c.Key == ""):
		return invalid("", "", "a client certificate needs both files, cert and key").hint("set --cert and --key")
	case c.Token != "" && (c.User != "" || c.Password != "" || c.PasswordFile != ""):
		return invalid("", "", "a token and a user name or password exclude each other").hint("set --auth-jwt-token or --user")
	case c.Password != "" && c.PasswordFile != "":
		return invalid("", "", "a password and a password file exclude each other").hint("set one of the two")
	case c.User == "" && (c.Password != "" || c.PasswordFile != ""):
		return invalid("", "", "a password without a user").hint("set --user")
	case c.MaxCallRecvBytes > 0 && c.withDefaults().MaxCallSendBytes > c.MaxCallRecvBytes:
		return invalid("", "", "the receive limit of %d bytes is below the send limit of %d", c.MaxCallRecvBytes, c.withDefaults().MaxCallSendBytes).
			hint("raise --max-recv-bytes")
	}
	return c.validNumbers()
}

func (c Config) validNumbers() error {
	for _, n := range []struct {
		name  string
		value int64
	}{
		{"dial timeout", int64(c.DialTimeout)}, {"command timeout", int64(c.CommandTimeout)},
		{"keep-alive time", int64(c.KeepAliveTime)}, {"keep-alive timeout", int64(c.KeepAliveTimeout)},
		{"limit of request bytes", int64(c.MaxRequestBytes)}, {"limit of operations", int64(c.MaxTxnOps)},
		{"send limit", int64(c.MaxCallSendBytes)}, {"receive limit", int64(c.MaxCallRecvBytes)},
	} {
		if n.value < 0 {
			return invalid("", "", "the %s is negative", n.name).hint("leave it out for the default")
		}
	}
	return nil
}

// validEndpoint refuses what grpc would accept and then wait for in vain.
func validEndpoint(ep string) error {
	bad := func(why string) error {
		return invalid("", "", "endpoint %q: %s", ep, why).hint("an endpoint is host:port, http://host:port, https://host:port, unix:/path or unixs:/path")
	}
	address := ep
	switch scheme, rest, found := strings.Cut(ep, ":"); {
	case scheme == "unix" || scheme == "unixs":
		if !found || strings.Trim(rest, "/") == "" {
			return bad("no path")
		}
		return nil
	case strings.Contains(ep, "://"):
		u, err := url.Parse(ep)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") {
			return bad("not a scheme that etcd has")
		}
		if strings.Trim(u.Path, "/") != "" || u.User != nil || u.RawQuery != "" {
			return bad("only a host and a port belong here")
		}
		address = u.Host
	}
	if _, port, err := net.SplitHostPort(address); err != nil || port == "" {
		return bad("no port")
	}
	return nil
}

func (c Config) withDefaults() Config {
	if len(c.Endpoints) == 0 && c.DiscoverySRV == "" {
		c.Endpoints = []string{defaultEndpoint}
		c.InsecureTransport = true
	}
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&c.DialTimeout, defaultDialTimeout}, {&c.CommandTimeout, defaultCommandTimeout},
		{&c.KeepAliveTime, defaultKeepAliveTime}, {&c.KeepAliveTimeout, defaultKeepAliveWait},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if c.MaxRequestBytes == 0 {
		c.MaxRequestBytes = defaultRequestBytes
	}
	if c.MaxTxnOps == 0 {
		c.MaxTxnOps = defaultTxnOps
	}
	if c.MaxCallSendBytes == 0 {
		c.MaxCallSendBytes = max(defaultSendBytes, c.MaxRequestBytes+sendOverhead)
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// credentials are the name and password to log in with, both empty for none.
func (c Config) credentials() (name, password string, err error) {
	name, password, _ = strings.Cut(c.User, ":")
	switch {
	case c.Password != "":
		return name, c.Password, nil
	case c.PasswordFile != "":
		text, err := os.ReadFile(c.PasswordFile)
		if err != nil {
			return "", "", &Error{Code: CodeIO, Outcome: OutcomeNone, Err: err,
				Message: fmt.Sprintf("password file: %v", err), Hint: "set --password-file to a file that can be read"}
		}
		password = strings.TrimRight(string(text), "\r\n")
	}
	if name != "" && password == "" {
		return "", "", invalid("", "", "user %q has no password", name).hint("set --user name:password, --password or --password-file")
	}
	return name, password, nil
}
