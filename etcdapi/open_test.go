package etcdapi_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"etcdlua/etcdapi"
	"etcdlua/etcdapi/etcdtest"
)

// restricted is a client of a user who may read "key/…", of which there are 40, and nothing else.
func restricted(t *testing.T) *etcdapi.Client {
	t.Helper()
	server, root := secured(t)
	for i := range 40 {
		key := fmt.Sprintf("key/%03d", i)
		mustPut(t, root, key, "value of "+key, etcdapi.PutOptions{})
	}
	return etcdtest.Connect(t, etcdapi.Config{Endpoints: []string{server.Endpoint()}, User: "reader:secret"})
}

// secured is a server with authentication on, and a client of its root. The user "reader" may read "key/…".
func secured(t *testing.T) (*etcdtest.Server, *etcdapi.Client) {
	t.Helper()
	server := etcdtest.Start(t)
	admin := etcdtest.Connect(t, etcdapi.Config{Endpoints: []string{server.Endpoint()}}).Clientv3()
	ctx := etcdtest.Context(t)
	for _, step := range []func() error{
		func() error { _, err := admin.UserAdd(ctx, "root", "root"); return err },
		func() error { _, err := admin.UserGrantRole(ctx, "root", "root"); return err },
		func() error { _, err := admin.RoleAdd(ctx, "reader"); return err },
		func() error {
			_, err := admin.RoleGrantPermission(ctx, "reader", "key/", "key0", clientv3.PermissionType(clientv3.PermRead))
			return err
		},
		func() error { _, err := admin.UserAdd(ctx, "reader", "secret"); return err },
		func() error { _, err := admin.UserGrantRole(ctx, "reader", "reader"); return err },
		func() error { _, err := admin.AuthEnable(ctx); return err },
	} {
		if err := step(); err != nil && !strings.Contains(err.Error(), "role name already exists") {
			t.Fatal(err)
		}
	}
	return server, etcdtest.Connect(t, etcdapi.Config{Endpoints: []string{server.Endpoint()}, User: "root:root"})
}

// open is Open for a test that expects an error.
func openError(t *testing.T, config etcdapi.Config) error {
	t.Helper()
	if config.DialTimeout == 0 {
		config.DialTimeout = 250 * time.Millisecond
	}
	config.Logger = etcdtest.Logger(t)
	c, err := etcdapi.Open(etcdtest.Context(t), config)
	if err == nil {
		c.Close()
		t.Fatal("it connected")
	}
	return err
}

func wantWords(t *testing.T, err error, code etcdapi.Code, words ...string) {
	t.Helper()
	wantCode(t, err, code)
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("no %q in: %v", w, err)
		}
	}
}

// closedPort is an address where nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// listener accepts connections and gives them to serve, until the test ends.
func listener(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	donec := make(chan struct{})
	go func() {
		defer close(donec)
		var conns []net.Conn
		for {
			conn, err := l.Accept()
			if err != nil {
				for _, conn := range conns {
					conn.Close()
				}
				return
			}
			conns = append(conns, conn)
			serve(conn)
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-donec
	})
	return l.Addr().String()
}

func TestOpenWhereNothingListens(t *testing.T) {
	address := closedPort(t)
	for _, endpoint := range []string{"http://" + address, address} {
		err := openError(t, etcdapi.Config{Endpoints: []string{endpoint}, InsecureTransport: true})
		wantWords(t, err, etcdapi.CodeUnavailable, endpoint, "connection refused", "--endpoints")
	}
	err := openError(t, etcdapi.Config{Endpoints: []string{"http://" + address}, User: "u:p"})
	wantWords(t, err, etcdapi.CodeUnavailable, address, "connection refused")
	other := closedPort(t)
	err = openError(t, etcdapi.Config{Endpoints: []string{"http://" + address, "http://" + other}})
	wantWords(t, err, etcdapi.CodeUnavailable, address, other)
	err = openError(t, etcdapi.Config{Endpoints: []string{"unix:" + filepath.Join(t.TempDir(), "none.sock")}, InsecureTransport: true})
	wantWords(t, err, etcdapi.CodeUnavailable, "none.sock", "no such file")
}

// TestOpenWhereNothingAnswers: connections are accepted and then there is silence.
func TestOpenWhereNothingAnswers(t *testing.T) {
	address := listener(t, func(net.Conn) {})
	err := openError(t, etcdapi.Config{Endpoints: []string{"http://" + address}, DialTimeout: 200 * time.Millisecond})
	wantWords(t, err, etcdapi.CodeUnavailable, address, "--dial-timeout")
	err = openError(t, etcdapi.Config{Endpoints: []string{"http://" + address}, DialTimeout: 200 * time.Millisecond, User: "u:p"})
	wantWords(t, err, etcdapi.CodeUnavailable, address)
}

func TestOpenWhereSomethingElseAnswers(t *testing.T) {
	web := http.Server{Handler: http.NotFoundHandler()}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go web.Serve(l)
	t.Cleanup(func() { web.Close() })
	err = openError(t, etcdapi.Config{Endpoints: []string{"http://" + l.Addr().String()}})
	wantWords(t, err, etcdapi.CodeUnavailable, l.Addr().String())
}

func TestOpenWithTheWrongScheme(t *testing.T) {
	plain := etcdtest.Endpoint(t)
	err := openError(t, etcdapi.Config{Endpoints: []string{strings.Replace(plain, "http:", "https:", 1)}})
	wantWords(t, err, etcdapi.CodeUnavailable, "TLS handshake", "http://")
	certificate, _ := selfSigned(t)
	secure := tlsListener(t, certificate)
	ctx := etcdtest.Context(t)
	_, err = etcdapi.Open(ctx, etcdapi.Config{Endpoints: []string{"https://" + secure}, DialTimeout: time.Hour})
	if ctx.Err() != nil {
		t.Error("it waits for a certificate to change")
	}
	wantWords(t, err, etcdapi.CodeUnavailable, "x509", "--cacert")
	err = openError(t, etcdapi.Config{Endpoints: []string{"http://" + secure}})
	wantWords(t, err, etcdapi.CodeUnavailable, secure, "https://")
}

// TestOpenWithTLS: a proxy that ends TLS stands before etcd, and the client knows its certificate.
func TestOpenWithTLS(t *testing.T) {
	server := etcdtest.Start(t)
	certificate, file := selfSigned(t)
	address := tlsProxy(t, certificate, strings.TrimPrefix(server.Endpoint(), "http://"))
	for name, config := range map[string]etcdapi.Config{
		"its certificate is known":     {Endpoints: []string{"https://" + address}, CACert: file},
		"nobody looks":                 {Endpoints: []string{"https://" + address}, InsecureSkipTLSVerify: true},
		"without a scheme":             {Endpoints: []string{address}, CACert: file},
		"TLS because nobody said else": {Endpoints: []string{address}, InsecureSkipTLSVerify: true},
	} {
		t.Run(name, func(t *testing.T) { mustPut(t, etcdtest.Connect(t, config), "k", "v", etcdapi.PutOptions{}) })
	}
}

func TestOpenIsCancelled(t *testing.T) {
	address := listener(t, func(net.Conn) {})
	for _, user := range []string{"", "u:p"} {
		ctx, cancel := context.WithCancel(etcdtest.Context(t))
		errc := make(chan error, 1)
		go func() {
			_, err := etcdapi.Open(ctx, etcdapi.Config{Endpoints: []string{"http://" + address}, DialTimeout: time.Hour, User: user})
			errc <- err
		}()
		cancel()
		wantWords(t, <-errc, etcdapi.CodeCancelled, address)
	}
}

func TestOpenWithCredentials(t *testing.T) {
	server, root := secured(t)
	ctx := etcdtest.Context(t)
	mustPut(t, root, "key/a", "v", etcdapi.PutOptions{})
	at := func(c etcdapi.Config) etcdapi.Config {
		c.Endpoints, c.DialTimeout = []string{server.Endpoint()}, 30*time.Second // hashing passwords takes its time
		return c
	}
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, config := range []etcdapi.Config{{User: "reader:secret"}, {User: "reader", Password: "secret"}, {User: "reader", PasswordFile: file}} {
		c := etcdtest.Connect(t, at(config))
		if got := value(t, c, "key/a"); got != "v" {
			t.Errorf("%+v: %s", config, got)
		}
		_, err := c.Get(ctx, "other", etcdapi.GetOptions{})
		wantCode(t, err, etcdapi.CodePermissionDenied)
	}
	wantWords(t, openError(t, at(etcdapi.Config{User: "reader:wrong"})), etcdapi.CodeUnauthenticated, server.Endpoint(), "--password")
	wantWords(t, openError(t, at(etcdapi.Config{Token: "nonsense"})), etcdapi.CodeUnauthenticated, "token")
	wantWords(t, openError(t, at(etcdapi.Config{User: "reader", PasswordFile: file + "x"})), etcdapi.CodeIO, "password file")
	wantWords(t, openError(t, at(etcdapi.Config{User: "reader"})), etcdapi.CodeInvalidArgument, "no password")
	anonymous := etcdtest.Connect(t, at(etcdapi.Config{})) // reachable, all the same
	_, err := anonymous.Get(ctx, "key/a", etcdapi.GetOptions{})
	wantWords(t, err, etcdapi.CodeUnauthenticated, "--user")
}

func TestValidate(t *testing.T) {
	good := etcdapi.Config{Endpoints: []string{"127.0.0.1:2379", "http://h:1", "https://[::1]:2379/", "unix:/a", "unixs:///a/b", "unix://localhost:1"}}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for _, endpoint := range []string{"", "host", "http://host", "ftp://host:1", "http://host:1/path", "http://u@host:1", "unix:", "host:", "http://host:1?x"} {
		err := etcdapi.Config{Endpoints: []string{endpoint}}.Validate()
		wantWords(t, err, etcdapi.CodeInvalidArgument, fmt.Sprintf("%q", endpoint), "host:port")
	}
	for name, config := range map[string]etcdapi.Config{
		"a certificate without key": {Cert: "c"},
		"a key without certificate": {Key: "k"},
		"token and user":            {Token: "t", User: "u:p"},
		"password twice":            {User: "u", Password: "p", PasswordFile: "f"},
		"password for nobody":       {Password: "p"},
		"negative dial timeout":     {DialTimeout: -1},
		"negative operations":       {MaxTxnOps: -1},
		"receive below send":        {MaxCallRecvBytes: 1},
	} {
		if err := config.Validate(); etcdapi.CodeOf(err) != etcdapi.CodeInvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
	wantCode(t, openError(t, etcdapi.Config{Endpoints: []string{"https://127.0.0.1:1"}, CACert: "/does/not/exist"}), etcdapi.CodeInvalidArgument)
}

func TestClosedClient(t *testing.T) {
	server := etcdtest.Start(t)
	var log attempts
	c, err := etcdapi.Open(etcdtest.Context(t), etcdapi.Config{Endpoints: []string{server.Endpoint()}, Logger: slog.New(&log)})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, err = c.Get(etcdtest.Context(t), "k", etcdapi.GetOptions{})
	wantCode(t, err, etcdapi.CodeClosed)
	_, err = c.Put(etcdtest.Context(t), "k", "v", etcdapi.PutOptions{})
	wantCode(t, err, etcdapi.CodeClosed)
	if n := log.n.Load(); n != 2 {
		t.Errorf("a closed client tried %d times to get and to set", n)
	}
}

// attempts counts what clientv3 says of each attempt that failed.
type attempts struct{ n atomic.Int64 }

func (a *attempts) Handle(_ context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, "retrying of unary invoker failed") {
		a.n.Add(1)
	}
	return nil
}

func (a *attempts) Enabled(context.Context, slog.Level) bool { return true }
func (a *attempts) WithAttrs([]slog.Attr) slog.Handler       { return a }
func (a *attempts) WithGroup(string) slog.Handler            { return a }

// selfSigned is a certificate for 127.0.0.1, and the file that holds it.
func selfSigned(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	pem := fmt.Appendf(nil, "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n", encode64(der))
	if err := os.WriteFile(file, pem, 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}
