package etcdtest

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// Proxy is a TCP proxy before a server, which breaks connections on demand. Its methods may be called
// from any goroutine.
type Proxy struct {
	target   string
	listener net.Listener
	done     sync.WaitGroup

	mu    sync.Mutex
	state proxyState
	gate  chan struct{} // closed while bytes may pass
	conns map[net.Conn]struct{}
	held  int // pieces that wait for the gate
}

type proxyState int

const (
	passing proxyState = iota
	stalled
	cut
	closed
)

// NewProxy starts a proxy before target, an endpoint with or without its scheme. The test's cleanup
// closes it.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, address, found := strings.Cut(target, "://")
	if !found {
		address = target
	}
	p := &Proxy{target: address, listener: listener, conns: map[net.Conn]struct{}{}, gate: make(chan struct{})}
	close(p.gate)
	p.done.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// Addr is the proxy's "host:port".
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Endpoint is the proxy's address as a client takes it.
func (p *Proxy) Endpoint() string { return "http://" + p.Addr() }

// Cut breaks all connections and refuses new ones until Heal.
func (p *Proxy) Cut() { p.enter(cut) }

// Stall lets no more bytes pass, either way, until Heal or Cut: connections stay open, and new ones are
// accepted, but nothing is answered, as with a frozen machine.
func (p *Proxy) Stall() { p.enter(stalled) }

// Heal lets everything pass again. What was held back by Stall arrives.
func (p *Proxy) Heal() { p.enter(passing) }

// Held is how many pieces of data, at most one a direction of each connection, are held back by Stall.
func (p *Proxy) Held() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held
}

func (p *Proxy) close() {
	p.enter(closed)
	p.listener.Close()
	p.done.Wait()
}

func (p *Proxy) enter(state proxyState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == closed {
		return
	}
	if p.state == stalled && state != stalled {
		close(p.gate)
	}
	if p.state != stalled && state == stalled {
		p.gate = make(chan struct{})
	}
	p.state = state
	if state == cut || state == closed {
		for conn := range p.conns {
			conn.Close()
		}
	}
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil || !p.keep(client, server) {
			client.Close()
			if err == nil {
				server.Close()
			}
			continue
		}
		p.done.Go(func() { p.pipe(client, server) })
		p.done.Go(func() { p.pipe(server, client) })
	}
}

// keep notes the two ends of a connection, unless the proxy refuses it.
func (p *Proxy) keep(client, server net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == cut || p.state == closed {
		return false
	}
	p.conns[client], p.conns[server] = struct{}{}, struct{}{}
	return true
}

// pipe copies one way until either end is closed, and closes both.
func (p *Proxy) pipe(to, from net.Conn) {
	defer func() {
		to.Close()
		from.Close()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.conns, to)
		delete(p.conns, from)
	}()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && !p.pass(to, buf[:n]) {
			return
		}
		if err == io.EOF || err != nil {
			return
		}
	}
}

// pass writes once the gate is open, and looks again after that: it may have been shut meanwhile.
func (p *Proxy) pass(to net.Conn, b []byte) bool {
	for {
		switch gate, state := p.look(); state {
		case cut, closed:
			return false
		case passing:
			_, err := to.Write(b)
			return err == nil
		default:
			<-gate
			p.release()
		}
	}
}

// look tells what holds now; a piece of data that is stalled is counted until release.
func (p *Proxy) look() (gate chan struct{}, state proxyState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == stalled {
		p.held++
	}
	return p.gate, p.state
}

func (p *Proxy) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held--
}
