package etcdapi_test

import (
	"crypto/tls"
	"encoding/base64"
	"io"
	"net"
	"sync"
	"testing"
)

func encode64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// tlsListener shakes hands, and nothing more.
func tlsListener(t *testing.T, certificate tls.Certificate) string {
	t.Helper()
	return listener(t, func(conn net.Conn) {
		tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2"}}).Handshake()
		conn.Close()
	})
}

// tlsProxy takes TLS connections and hands on what they say to target, in the clear.
func tlsProxy(t *testing.T, certificate tls.Certificate, target string) string {
	t.Helper()
	var pipes sync.WaitGroup
	t.Cleanup(pipes.Wait)
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2"}}
	return listener(t, func(raw net.Conn) {
		client := tls.Server(raw, config)
		server, err := net.Dial("tcp", target)
		if err != nil {
			raw.Close()
			return
		}
		copyAll := func(to, from net.Conn) {
			io.Copy(to, from)
			to.Close()
			from.Close()
		}
		pipes.Go(func() { copyAll(server, client) })
		pipes.Go(func() { copyAll(client, server) })
	})
}
