package etcdapi

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	reopenMin = 25 * time.Millisecond
	reopenMax = time.Second
	// progressEvery is how often a stream asks how far the store is, so that the position of an idle watch
	// does not fall behind a compaction. A server says so by itself every ten minutes only.
	progressEvery = time.Minute
	// creating bounds the watches that a stream asks for before the server has answered, so that neither
	// side ever waits for the other to read.
	creating = 64
	notOpen  = -1
)

// stream is a gRPC stream of watches and the one goroutine that reads it. It is the client's own, not
// clientv3's Watcher: that one keeps what was not yet taken in a buffer without bound, and hands the
// watches of one stream out through channels of their own, which loses the order between them. What it
// reads it puts into the watches' queues, and never waits for a consumer: past its bound a watch is
// stopped on the server.
//
// When the connection breaks, every interval is asked for again from its own position.
type stream struct {
	c      *Client
	ctx    context.Context // ends with the last watch
	cancel context.CancelFunc
	donec  chan struct{} // the reader has ended
	beats  sync.WaitGroup
	shared bool
	users  int // watchStreams.mu

	sendMu sync.Mutex // one sender at a time, in the order of pending; before mu

	mu        sync.Mutex
	rpc       pb.Watch_WatchClient // nil while there is none
	reopen    context.CancelFunc   // breaks rpc
	members   map[*Watch]struct{}
	wanted    []*leg             // to be opened
	pending   []*opening         // asked for, in the order of the answers to come
	outbox    []*pb.WatchRequest // to be sent before anything is opened
	open      map[int64]*leg     // by watch id
	answeredc chan struct{}      // closed, and made anew, when the server says how far it is
	asked     bool               // a progress request was sent on rpc
	good      bool               // something was opened since the stream was
	lastErr   error              // why there is no rpc
	failed    error              // it ended for good
}

// leg is one interval of a watch.
type leg struct {
	w       *Watch
	span    span
	pos     int64 // everything up to it was received; fromNow until the server said what now is
	id      int64 // on the stream, or notOpen
	want    bool  // it is to be open
	opening *opening
	refused bool // refused once for its token

	floor    int64             // the store's revision when it was opened, see progressed
	sure     bool              // every progress answer to come is about this leg too
	fragment bool              // large answers come in pieces
	partial  []*clientv3.Event // of a revision of which more is to come
}

const fromNow = -1

// opening is a leg that was asked for; leg is nil when it is no longer wanted.
type opening struct{ leg *leg }

func newStream(c *Client) *stream {
	s := &stream{c: c, donec: make(chan struct{}), answeredc: make(chan struct{}),
		members: map[*Watch]struct{}{}, open: map[int64]*leg{}}
	s.ctx, s.cancel = context.WithCancel(clientv3.WithRequireLeader(context.Background()))
	return s
}

// run reads until the last watch is closed or nothing more can be done.
func (s *stream) run() {
	defer close(s.donec)
	defer s.beats.Wait()
	defer s.cancel()
	s.beats.Go(s.beat)
	wait := reopenMin
	for {
		err := s.serve()
		good, again := s.judge(err)
		if !again {
			return
		}
		if good {
			wait = reopenMin
		}
		select {
		case <-time.After(wait/2 + rand.N(wait/2)):
		case <-s.ctx.Done():
		}
		wait = min(2*wait, reopenMax)
	}
}

// serve opens the stream and reads it until it breaks. Opening waits until a member is reachable, with a
// fresh token where there are any.
func (s *stream) serve() error {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	rpc, err := s.c.openWatch(ctx)
	if err != nil {
		return err
	}
	s.begin(rpc, cancel)
	defer s.end()
	s.flush()
	for {
		resp, err := rpc.Recv()
		if err != nil {
			return err
		}
		s.handle(resp)
	}
}

// begin asks for everything that is wanted.
func (s *stream) begin(rpc pb.Watch_WatchClient, reopen context.CancelFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rpc, s.reopen, s.good, s.asked = rpc, reopen, false, false
	for w := range s.members {
		s.want(w)
	}
}

// end forgets what the stream had.
func (s *stream) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rpc, s.wanted, s.pending, s.outbox = nil, nil, nil, nil
	clear(s.open)
	for w := range s.members {
		for _, l := range w.legs {
			l.id, l.opening, l.partial = notOpen, nil, nil
		}
	}
}

// judge says whether a stream that ended with err is opened again, and whether it had been of use.
func (s *stream) judge(err error) (good, again bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	good, s.lastErr = s.good, err
	switch {
	case s.ctx.Err() != nil:
		err = nil // nobody is left to hear it
	case s.c.Clientv3().Ctx().Err() != nil:
		err = &Error{Op: "watch", Code: CodeClosed, Outcome: OutcomeNone, Message: "the client was closed"}
	case passes(err):
		return good, true
	}
	s.failed = errors.Join(err, s.ctx.Err())
	for w := range s.members {
		w.fail(err)
	}
	return good, false
}

// passes says whether an outage is waited out: no leader, a member that stops, a connection that broke.
func passes(err error) bool {
	switch status.Code(err) {
	case codes.Unavailable, codes.Internal, codes.Canceled, codes.DeadlineExceeded, codes.Aborted:
		return true
	}
	err = rpctypes.Error(err)
	return errors.Is(err, rpctypes.ErrTooManyRequests) || errors.Is(err, rpctypes.ErrNoLeader)
}

// isTokenError says whether a fresh token may help. Permissions are looked at with the token's revision.
func isTokenError(err error) bool {
	err = rpctypes.Error(err)
	for _, token := range []error{rpctypes.ErrInvalidAuthToken, rpctypes.ErrAuthOldRevision, rpctypes.ErrUserEmpty, rpctypes.ErrPermissionDenied} {
		if errors.Is(err, token) {
			return true
		}
	}
	return false
}

// flush sends what there is to send. What fails fails the reader too, and everything is asked for anew.
func (s *stream) flush() {
	s.sendMu.Lock()
	defer s.sendMu.Unlock()
	for {
		s.mu.Lock()
		rpc, req := s.rpc, s.nextRequest()
		s.mu.Unlock()
		if req == nil {
			return
		}
		if rpc.Send(req) != nil {
			return
		}
	}
}

// nextRequest takes the next request off its list; nil when there is none, or nobody to send it to.
func (s *stream) nextRequest() *pb.WatchRequest {
	if s.rpc == nil {
		return nil
	}
	if len(s.outbox) > 0 {
		req := s.outbox[0]
		s.outbox = s.outbox[1:]
		return req
	}
	for len(s.wanted) > 0 && len(s.pending) < creating {
		l := s.wanted[0]
		s.wanted = s.wanted[1:]
		if l.want && l.id == notOpen && l.opening == nil {
			l.opening = &opening{l}
			s.pending = append(s.pending, l.opening)
			return l.request()
		}
	}
	return nil
}

// mustSend says whether flush would send anything.
func (s *stream) mustSend() bool {
	return len(s.outbox) > 0 || len(s.wanted) > 0 && len(s.pending) < creating
}

// request asks for the leg from its position on.
func (l *leg) request() *pb.WatchRequest {
	o := &l.w.o
	l.fragment = l.w.fragments(l.fragment)
	create := &pb.WatchCreateRequest{Key: []byte(l.span.from), RangeEnd: l.span.rangeEnd(), StartRevision: l.pos + 1,
		PrevKv: o.PrevKV, ProgressNotify: true, Fragment: l.fragment}
	switch o.Filter {
	case "put":
		create.Filters = []pb.WatchCreateRequest_FilterType{pb.WatchCreateRequest_NODELETE}
	case "delete":
		create.Filters = []pb.WatchCreateRequest_FilterType{pb.WatchCreateRequest_NOPUT}
	}
	return &pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: create}}
}

// want puts what of the watch is to be open on the list. Before the first answer said which revision is
// now, that is the first leg only: all start at the same revision.
func (s *stream) want(w *Watch) {
	for _, l := range w.legs {
		l.want = !w.paused && !w.closed && w.err == nil
		if l.want {
			s.wanted = append(s.wanted, l)
		}
		if l.pos == fromNow {
			return
		}
	}
}

// unwant stops the watch on the server.
func (s *stream) unwant(w *Watch) {
	for _, l := range w.legs {
		l.want, l.partial = false, nil
		if l.opening != nil {
			l.opening.leg, l.opening = nil, nil
		}
		if l.id != notOpen {
			delete(s.open, l.id)
			s.cancelID(l.id)
			l.id = notOpen
		}
	}
}

func (s *stream) cancelID(id int64) {
	s.outbox = append(s.outbox, &pb.WatchRequest{RequestUnion: &pb.WatchRequest_CancelRequest{
		CancelRequest: &pb.WatchCancelRequest{WatchId: id}}})
}

// askProgress asks how far the store is. Servers answer once all watches of the stream have what they
// are to have, and never else.
func (s *stream) askProgress() {
	if s.rpc != nil {
		s.asked = true
		s.outbox = append(s.outbox, &pb.WatchRequest{RequestUnion: &pb.WatchRequest_ProgressRequest{
			ProgressRequest: &pb.WatchProgressRequest{}}})
	}
}

// beat keeps the positions of idle watches young.
func (s *stream) beat() {
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-s.ctx.Done():
			return
		}
		s.c.learnProgress(s.ctx)
		s.mu.Lock()
		if len(s.open) > 0 {
			s.askProgress()
		}
		s.mu.Unlock()
		s.flush()
	}
}
