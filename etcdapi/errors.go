package etcdapi

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Code says what kind of failure an error is. The list is closed.
type Code string

// The codes of every error that a script or a program can see. Some of them are raised by the layers
// above this package.
const (
	CodeInvalidArgument    Code = "invalid_argument"
	CodeAlreadyExists      Code = "already_exists"
	CodeNotFound           Code = "not_found"
	CodeFailedPrecondition Code = "failed_precondition"
	CodeConflict           Code = "conflict"
	CodeBusy               Code = "busy"
	CodeClosed             Code = "closed"
	CodeCompacted          Code = "compacted"
	CodeFutureRevision     Code = "future_revision"
	CodeNoSpace            Code = "no_space"
	CodeTooManyOps         Code = "too_many_ops"
	CodeDuplicateKey       Code = "duplicate_key"
	CodeRequestTooLarge    Code = "request_too_large"
	CodeTooManyRequests    Code = "too_many_requests"
	CodeLeaseNotFound      Code = "lease_not_found"
	CodeLeaseExists        Code = "lease_exists"
	CodeKeyNotFound        Code = "key_not_found"
	CodePermissionDenied   Code = "permission_denied" // by etcd's own roles
	CodeNotPermitted       Code = "not_permitted"     // by the permissions that a program was given
	CodeGuarded            Code = "guarded"
	CodePlanStale          Code = "plan_stale"
	CodeUnauthenticated    Code = "unauthenticated"
	CodeAuthNotEnabled     Code = "auth_not_enabled"
	CodeNoLeader           Code = "no_leader"
	CodeNotLeader          Code = "not_leader"
	CodeLeaderChanged      Code = "leader_changed"
	CodeUnavailable        Code = "unavailable"
	CodeUnhealthy          Code = "unhealthy"
	CodeTimeout            Code = "timeout"
	CodeCancelled          Code = "cancelled"
	CodeLockLost           Code = "lock_lost"
	CodeLockTimeout        Code = "lock_timeout"
	CodeLeadershipLost     Code = "leadership_lost"
	CodeLeaseLost          Code = "lease_lost"
	CodeLimitExceeded      Code = "limit_exceeded"
	CodeNotSupported       Code = "not_supported"
	CodeCorrupt            Code = "corrupt"
	CodeMemberNotFound     Code = "member_not_found"
	CodeLearnerNotReady    Code = "learner_not_ready"
	CodeExitStatus         Code = "exit_status"
	CodeIO                 Code = "io"
	CodeParse              Code = "parse"
	CodeScript             Code = "script"
	CodeInternal           Code = "internal"
)

// Outcome says what a failed request may have done.
type Outcome string

const (
	// OutcomeNone: nothing was changed. All reads have it.
	OutcomeNone Outcome = "none"
	// OutcomeUnknown: a write may have been applied, now or a moment later. Read before writing again.
	OutcomeUnknown Outcome = "unknown"
)

// Error is the error of every function of this package.
type Error struct {
	Op        string  // what was asked for: "get", "set", "connect"
	Key       string  // the key, prefix or last key read; may be empty
	Code      Code    // what kind of failure
	Outcome   Outcome // what may have happened all the same
	Message   string  // what happened and to what, in one sentence
	Hint      string  // what to do about it; may be empty
	Retryable bool    // whether the same request may succeed later
	Err       error   // the cause; may be nil
}

// Error is one line: operation and key, message, code and hint.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Op != "" {
		b.WriteString(e.Op)
		if e.Key != "" {
			fmt.Fprintf(&b, " %q", shorten(e.Key))
		}
		b.WriteString(": ")
	}
	fmt.Fprintf(&b, "%s (%s)", e.Message, e.Code)
	if e.Outcome == OutcomeUnknown {
		b.WriteString("; it may have been applied")
	}
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// hint sets what to do, and returns e.
func (e *Error) hint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// shorten keeps a key of a megabyte out of a message.
func shorten(key string) string {
	const most = 120
	if len(key) <= most {
		return key
	}
	return fmt.Sprintf("%s… (%d bytes)", key[:most], len(key))
}

// CodeOf is the code of err, "" for nil, and internal for an error that is not of this package.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e := (*Error)(nil); errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}

// invalid is an argument that is refused before anything is sent.
func invalid(op, key, format string, args ...any) *Error {
	return &Error{Op: op, Key: key, Code: CodeInvalidArgument, Outcome: OutcomeNone, Message: fmt.Sprintf(format, args...)}
}

// wrap is the one place that turns an error of clientv3, grpc or a context into an *Error. write says
// that the request that failed was meant to change something. It must be given the error as it came: an
// *Error passes through, with op and key filled in where it has none.
func wrap(op, key string, write bool, err error) error {
	if err == nil {
		return nil
	}
	if e := (*Error)(nil); errors.As(err, &e) {
		if e.Op != "" {
			return err
		}
		named := *e
		named.Op, named.Key = op, key
		return &named
	}
	e := classify(err)
	e.Op, e.Key, e.Err = op, key, err
	if !write {
		e.Outcome = OutcomeNone
	}
	return e
}

// classify says what err means for a write.
func classify(err error) *Error {
	if errors.Is(err, errClosed) || strings.Contains(err.Error(), "client connection is closing") {
		return &Error{Code: CodeClosed, Outcome: OutcomeNone, Message: "the client is closed"}
	}
	if m, ok := etcdErrors[rpctypes.ErrorDesc(err)]; ok {
		return m.error(description(err))
	}
	if s, ok := status.FromError(err); ok && !notSent(s.Message()) {
		return classifyStatus(s)
	}
	switch text := description(err); {
	case errors.Is(err, context.Canceled), status.Code(err) == codes.Canceled && notSent(text):
		return &Error{Code: CodeCancelled, Outcome: lost(text), Message: "cancelled"}
	case notSent(text):
		return unavailable(connectCause(text), OutcomeNone)
	case errors.Is(err, context.DeadlineExceeded):
		return timedOut()
	case errors.Is(err, clientv3.ErrNoAvailableEndpoints):
		return unavailable(text, OutcomeNone)
	default:
		return &Error{Code: CodeInternal, Outcome: OutcomeUnknown, Message: text}
	}
}

// classifyStatus handles what grpc itself says, on this side or on the server's.
func classifyStatus(s *status.Status) *Error {
	text := s.Message()
	switch s.Code() {
	case codes.Canceled:
		return &Error{Code: CodeCancelled, Outcome: OutcomeUnknown, Message: "cancelled"}
	case codes.DeadlineExceeded:
		return timedOut()
	case codes.Unavailable:
		return unavailable(text, OutcomeUnknown)
	case codes.ResourceExhausted:
		return exhausted(text)
	case codes.Unimplemented:
		return &Error{Code: CodeNotSupported, Outcome: OutcomeNone, Message: "this etcd does not know the request: " + text,
			Hint: "check the server's version with etcd.status()"}
	case codes.PermissionDenied:
		return &Error{Code: CodePermissionDenied, Outcome: OutcomeNone, Message: text}
	case codes.Unauthenticated:
		return &Error{Code: CodeUnauthenticated, Outcome: OutcomeNone, Message: text, Hint: hintLogin}
	case codes.InvalidArgument:
		return &Error{Code: CodeInvalidArgument, Outcome: OutcomeNone, Message: text}
	case codes.DataLoss:
		return &Error{Code: CodeCorrupt, Outcome: OutcomeUnknown, Message: text}
	default:
		return &Error{Code: CodeInternal, Outcome: OutcomeUnknown, Message: fmt.Sprintf("%s: %s", s.Code(), text)}
	}
}

// exhausted tells a message over a limit of grpc's from an overloaded server. One that was too large to
// send was not sent; one too large to receive is the answer of a request that was carried out.
func exhausted(text string) *Error {
	switch {
	case strings.Contains(text, "trying to send message larger than max"):
		return &Error{Code: CodeRequestTooLarge, Outcome: OutcomeNone, Message: "the request is over this client's limit: " + text,
			Hint: "raise the client's limit (max call send bytes) and the server's --max-request-bytes, or split it"}
	case strings.Contains(text, "received message larger than max"), strings.Contains(text, "larger than max"):
		return &Error{Code: CodeRequestTooLarge, Outcome: OutcomeUnknown, Message: "a message is over the limit of whom it was sent to: " + text,
			Hint: "read less at once, or raise --max-recv-bytes; for a write raise the server's --max-request-bytes"}
	default:
		return &Error{Code: CodeTooManyRequests, Outcome: OutcomeUnknown, Retryable: true, Message: text, Hint: "slow down and try again"}
	}
}

const hintLogin = "check --user and --password, or the token"

func unavailable(cause string, outcome Outcome) *Error {
	return &Error{Code: CodeUnavailable, Outcome: outcome, Retryable: true, Message: "etcd cannot be reached: " + cause,
		Hint: "check that it runs and that the endpoints are right"}
}

func timedOut() *Error {
	return &Error{Code: CodeTimeout, Outcome: OutcomeUnknown, Retryable: true, Message: "no answer in time",
		Hint: "try again, or allow it more time (timeout, --command-timeout)"}
}

// notSent tells, from grpc's own words, that a request never left: no connection could be had.
func notSent(text string) bool {
	for _, words := range []string{
		"latest balancer error", "while waiting for connections to become ready", "there is no address available",
		"there is no connection available", "connection error: desc = \"transport: Error while dialing",
		"connection error: desc = \"transport: authentication handshake failed", "name resolver error",
	} {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}

// lost is the outcome of a write that was given up.
func lost(text string) Outcome {
	if notSent(text) {
		return OutcomeNone
	}
	return OutcomeUnknown
}

// description is an error's own words, without grpc's "rpc error: code = …".
func description(err error) string {
	if s, ok := status.FromError(err); ok {
		return s.Message()
	}
	return err.Error()
}

// connectCause takes the innermost reason out of grpc's nested description of a failed connection.
func connectCause(text string) string {
	text = strings.TrimPrefix(text, "latest balancer error: ")
	if _, cause, found := strings.Cut(text, "Error while dialing: "); found {
		text = strings.TrimPrefix(cause, "dial ")
	}
	if _, cause, found := strings.Cut(text, "authentication handshake failed: "); found {
		text = "TLS handshake failed: " + cause
	}
	if strings.Contains(text, silence) {
		return "it takes connections and says nothing"
	}
	return strings.TrimSuffix(text, `"`)
}

// silence is what grpc says when it has given up waiting for a server's first words.
const silence = "use of closed network connection"
