package etcdapi

import (
	"fmt"
	"strings"

	"go.etcd.io/etcd/client/pkg/v3/srv"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// discover replaces the endpoints by those that DNS names, if Config asks for it.
func (c Config) discover() (Config, error) {
	if c.DiscoverySRV == "" {
		return c, nil
	}
	hint := "check the SRV records of _etcd-client-ssl._tcp and _etcd-client._tcp, or set --endpoints"
	found, err := srv.GetClient("etcd-client", c.DiscoverySRV, c.DiscoverySRVName)
	if err != nil {
		return c, &Error{Op: "connect", Code: CodeUnavailable, Outcome: OutcomeNone, Hint: hint, Retryable: true, Err: err,
			Message: fmt.Sprintf("no endpoints from DNS for %s: %v", c.DiscoverySRV, err)}
	}
	c.Endpoints = nil
	for _, ep := range found.Endpoints {
		if c.InsecureDiscovery || strings.HasPrefix(ep, "https://") {
			c.Endpoints = append(c.Endpoints, strings.Replace(ep, ".:", ":", 1))
		}
	}
	if len(c.Endpoints) == 0 {
		return c, &Error{Op: "connect", Code: CodeUnavailable, Outcome: OutcomeNone, Hint: hint + "; --insecure-discovery accepts http ones",
			Message: fmt.Sprintf("DNS names no https endpoint for %s", c.DiscoverySRV)}
	}
	return c, nil
}

// clientv3Config is what clientv3 wants to know about the connection.
func (c Config) clientv3Config(lg *zap.Logger) (*clientv3.Config, error) {
	name, password, err := c.credentials()
	if err != nil {
		return nil, err
	}
	secure := &clientv3.SecureConfig{
		Cert: c.Cert, Key: c.Key, Cacert: c.CACert,
		InsecureTransport: c.InsecureTransport, InsecureSkipVerify: c.InsecureSkipTLSVerify,
		ServerName: c.DiscoverySRV, // as etcdctl: the certificates of discovered members name the domain
	}
	if c.DiscoverySRV != "" && !strings.HasPrefix(c.Endpoints[0], "https://") {
		secure.ServerName = ""
	}
	config, err := clientv3.NewClientConfig(&clientv3.ConfigSpec{
		Endpoints:          c.Endpoints,
		DialTimeout:        c.DialTimeout,
		KeepAliveTime:      c.KeepAliveTime,
		KeepAliveTimeout:   c.KeepAliveTimeout,
		MaxCallSendMsgSize: c.MaxCallSendBytes,
		MaxCallRecvMsgSize: c.MaxCallRecvBytes,
		Secure:             secure,
		Auth:               &clientv3.AuthConfig{Username: name, Password: password, Token: c.Token},
	}, lg)
	if err != nil {
		return nil, &Error{Op: "connect", Code: CodeInvalidArgument, Outcome: OutcomeNone, Err: err,
			Message: fmt.Sprintf("TLS files: %v", err), Hint: "check --cacert, --cert and --key"}
	}
	return config, nil
}
