package etcdapi

import (
	"strings"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
)

// meaning is what one of etcd's own errors is to us.
type meaning struct {
	code      Code
	unknown   bool // a write that failed with it may have been applied
	retryable bool
	hint      string
}

// error makes the error; text is etcd's own, "etcdserver: …".
func (m meaning) error(text string) *Error {
	e := &Error{Code: m.code, Outcome: OutcomeNone, Retryable: m.retryable, Hint: m.hint,
		Message: strings.TrimPrefix(strings.TrimPrefix(text, "etcdserver: "), "mvcc: ")}
	if m.unknown {
		e.Outcome = OutcomeUnknown
	}
	return e
}

// etcdErrors says what each error of etcd's means, by its description: that is all that crosses the
// wire. A test walks rpctypes, so that one that a new release brings is not overlooked.
var etcdErrors = byDescription(map[error]meaning{
	rpctypes.ErrGRPCEmptyKey:                {code: CodeInvalidArgument},
	rpctypes.ErrGRPCKeyNotFound:             {code: CodeKeyNotFound, hint: "keep_value and keep_lease need a key that exists"},
	rpctypes.ErrGRPCValueProvided:           {code: CodeInvalidArgument},
	rpctypes.ErrGRPCLeaseProvided:           {code: CodeInvalidArgument},
	rpctypes.ErrGRPCTooManyOps:              {code: CodeTooManyOps, hint: "etcd takes 128 operations in a transaction unless its --max-txn-ops says otherwise"},
	rpctypes.ErrGRPCDuplicateKey:            {code: CodeDuplicateKey, hint: "a transaction may write a key only once"},
	rpctypes.ErrGRPCInvalidClientAPIVersion: {code: CodeNotSupported},
	rpctypes.ErrGRPCInvalidSortOption:       {code: CodeInvalidArgument},
	rpctypes.ErrGRPCCompacted:               {code: CodeCompacted, hint: "read at a newer revision"},
	rpctypes.ErrGRPCFutureRev:               {code: CodeFutureRevision, hint: "the cluster has not reached that revision; was it restored from a snapshot?"},
	// A put that runs into the quota may have been applied on some members: etcd's maintenance guide.
	rpctypes.ErrGRPCNoSpace: {code: CodeNoSpace, unknown: true, hint: "compact and defragment, or raise the server's --quota-backend-bytes; then disarm the alarm"},

	rpctypes.ErrGRPCLeaseNotFound:    {code: CodeLeaseNotFound, hint: "it has expired or was revoked: grant a new one"},
	rpctypes.ErrGRPCLeaseExist:       {code: CodeLeaseExists},
	rpctypes.ErrGRPCLeaseTTLTooLarge: {code: CodeInvalidArgument, hint: "the longest time to live is 9,000,000,000 seconds"},

	rpctypes.ErrGRPCWatchCanceled: {code: CodeCancelled, unknown: true},

	rpctypes.ErrGRPCMemberExist:            {code: CodeAlreadyExists},
	rpctypes.ErrGRPCPeerURLExist:           {code: CodeAlreadyExists},
	rpctypes.ErrGRPCMemberNotEnoughStarted: {code: CodeFailedPrecondition, hint: "the change would lose the quorum: start the members that are down, or remove them first"},
	rpctypes.ErrGRPCMemberBadURLs:          {code: CodeInvalidArgument},
	rpctypes.ErrGRPCMemberNotFound:         {code: CodeMemberNotFound},
	rpctypes.ErrGRPCMemberNotLearner:       {code: CodeFailedPrecondition},
	rpctypes.ErrGRPCLearnerNotReady:        {code: CodeLearnerNotReady, retryable: true, hint: "wait until it has caught up with the leader"},
	rpctypes.ErrGRPCTooManyLearners:        {code: CodeFailedPrecondition, hint: "promote or remove the present learner first"},
	rpctypes.ErrGRPCClusterIDMismatch:      {code: CodeFailedPrecondition, hint: "the endpoints belong to different clusters"},

	rpctypes.ErrGRPCRequestTooLarge:        {code: CodeRequestTooLarge, hint: "split it, or raise the server's --max-request-bytes"},
	rpctypes.ErrGRPCRequestTooManyRequests: {code: CodeTooManyRequests, retryable: true, hint: "slow down and try again"},

	rpctypes.ErrGRPCRootUserNotExist:     {code: CodeFailedPrecondition, hint: "add the user root first"},
	rpctypes.ErrGRPCRootRoleNotExist:     {code: CodeFailedPrecondition, hint: "grant the role root to the user root first"},
	rpctypes.ErrGRPCUserAlreadyExist:     {code: CodeAlreadyExists},
	rpctypes.ErrGRPCUserEmpty:            {code: CodeUnauthenticated, hint: "this etcd wants a user: set --user and --password"},
	rpctypes.ErrGRPCUserNotFound:         {code: CodeNotFound},
	rpctypes.ErrGRPCRoleAlreadyExist:     {code: CodeAlreadyExists},
	rpctypes.ErrGRPCRoleNotFound:         {code: CodeNotFound},
	rpctypes.ErrGRPCRoleEmpty:            {code: CodeInvalidArgument},
	rpctypes.ErrGRPCAuthFailed:           {code: CodeUnauthenticated, hint: hintLogin},
	rpctypes.ErrGRPCPermissionNotGiven:   {code: CodeInvalidArgument},
	rpctypes.ErrGRPCPermissionDenied:     {code: CodePermissionDenied, hint: "the user's roles do not allow it: see etcdctl user get and role get"},
	rpctypes.ErrGRPCRoleNotGranted:       {code: CodeFailedPrecondition},
	rpctypes.ErrGRPCPermissionNotGranted: {code: CodeFailedPrecondition},
	rpctypes.ErrGRPCAuthNotEnabled:       {code: CodeAuthNotEnabled},
	rpctypes.ErrGRPCInvalidAuthToken:     {code: CodeUnauthenticated, hint: hintLogin},
	rpctypes.ErrGRPCInvalidAuthMgmt:      {code: CodeInvalidArgument},
	rpctypes.ErrGRPCAuthOldRevision:      {code: CodeUnauthenticated, retryable: true, hint: "users or roles have just been changed: try again"},

	rpctypes.ErrGRPCNoLeader:                   {code: CodeNoLeader, retryable: true, hint: "the cluster has no quorum: check its members"},
	rpctypes.ErrGRPCNotLeader:                  {code: CodeNotLeader, retryable: true},
	rpctypes.ErrGRPCLeaderChanged:              {code: CodeLeaderChanged, unknown: true, retryable: true, hint: "try again"},
	rpctypes.ErrGRPCNotCapable:                 {code: CodeNotSupported},
	rpctypes.ErrGRPCStopped:                    {code: CodeUnavailable, unknown: true, retryable: true, hint: "the member is stopping: try again"},
	rpctypes.ErrGRPCTimeout:                    {code: CodeTimeout, unknown: true, retryable: true, hint: hintSlow},
	rpctypes.ErrGRPCTimeoutDueToLeaderFail:     {code: CodeTimeout, unknown: true, retryable: true, hint: hintSlow},
	rpctypes.ErrGRPCTimeoutDueToConnectionLost: {code: CodeTimeout, unknown: true, retryable: true, hint: hintSlow},
	rpctypes.ErrGRPCTimeoutWaitAppliedIndex:    {code: CodeTimeout, unknown: true, retryable: true, hint: hintSlow},
	rpctypes.ErrGRPCUnhealthy:                  {code: CodeUnhealthy, retryable: true, hint: "check the cluster's members"},
	rpctypes.ErrGRPCCorrupt:                    {code: CodeCorrupt, unknown: true, hint: "a member's data differs from the others': see etcd's guide on data corruption"},
	rpctypes.ErrGRPCNotSupportedForLearner:     {code: CodeNotSupported, hint: "name the endpoints of voting members"},
	rpctypes.ErrGRPCBadLeaderTransferee:        {code: CodeFailedPrecondition, hint: "choose a voting member that is healthy"},

	rpctypes.ErrGRPCWrongDowngradeVersionFormat:   {code: CodeInvalidArgument, hint: "a version is written like 3.6.0"},
	rpctypes.ErrGRPCInvalidDowngradeTargetVersion: {code: CodeInvalidArgument, hint: "only the minor version before the present one is possible"},
	rpctypes.ErrGRPCClusterVersionUnavailable:     {code: CodeFailedPrecondition, retryable: true},
	rpctypes.ErrGRPCDowngradeInProcess:            {code: CodeFailedPrecondition, hint: "cancel the present downgrade first"},
	rpctypes.ErrGRPCNoInflightDowngrade:           {code: CodeFailedPrecondition},

	rpctypes.ErrGRPCCanceled:         {code: CodeCancelled, unknown: true},
	rpctypes.ErrGRPCDeadlineExceeded: {code: CodeTimeout, unknown: true, retryable: true},
})

const hintSlow = "the cluster is slow or lost its leader: check it, then try again"

func byDescription(table map[error]meaning) map[string]meaning {
	m := make(map[string]meaning, len(table))
	for err, meaning := range table {
		m[rpctypes.ErrorDesc(err)] = meaning
	}
	return m
}
