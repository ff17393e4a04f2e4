package etcdapi

import (
	"errors"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// codec reads the answers to reads, which are most of what a client decodes, by hand: a key costs two
// allocations instead of three and no reflection, a batch of gets a quarter of the time. All other messages, and all that
// is sent, go through grpc's own codec. What it reads equals what protobuf reads; a test compares them.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2("proto")} }

// Unmarshal is called by grpc with each answer.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	var decode func(b []byte) error
	switch m := v.(type) {
	case *pb.RangeResponse:
		decode = func(b []byte) error { return decodeRange(b, m) }
	case *pb.RangeStreamResponse:
		decode = func(b []byte) error { return decodeRangeStream(b, m) }
	case *pb.TxnResponse:
		decode = func(b []byte) error { return decodeTxn(b, m) }
	default:
		return c.CodecV2.Unmarshal(data, v)
	}
	buf := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer buf.Free()
	return decode(buf.ReadOnlyData())
}

var errMalformed = errors.New("the answer is no valid protobuf message")

// fields hands each field of a message to f: its number, and its bytes or its number value.
func fields(b []byte, f func(num protowire.Number, bytes []byte, n uint64) error) error {
	for len(b) > 0 {
		num, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return errMalformed
		}
		b = b[n:]
		var bytes []byte
		var value uint64
		switch kind {
		case protowire.BytesType:
			bytes, n = protowire.ConsumeBytes(b)
		case protowire.VarintType:
			value, n = protowire.ConsumeVarint(b)
		default: // none of the messages here has one
			n = protowire.ConsumeFieldValue(num, kind, b)
		}
		if n < 0 {
			return errMalformed
		}
		b = b[n:]
		if err := f(num, bytes, value); err != nil {
			return err
		}
	}
	return nil
}

func decodeHeader(b []byte, h *pb.ResponseHeader) error {
	return fields(b, func(num protowire.Number, _ []byte, n uint64) error {
		switch num {
		case 1:
			h.ClusterId = n
		case 2:
			h.MemberId = n
		case 3:
			h.Revision = int64(n)
		case 4:
			h.RaftTerm = n
		}
		return nil
	})
}

// slabSize is how many KVs are allocated at once: one that is kept keeps that many, some 3 KiB, but
// not their keys and values.
const slabSize = 32

func decodeRange(b []byte, m *pb.RangeResponse) error {
	var slab []mvccpb.KeyValue
	left := countKVs(b)
	if left > 0 {
		m.Kvs = make([]*KV, 0, left)
	}
	return fields(b, func(num protowire.Number, bytes []byte, n uint64) error {
		switch num {
		case 1:
			if m.Header == nil {
				m.Header = &pb.ResponseHeader{}
			}
			return decodeHeader(bytes, m.Header)
		case 2:
			if len(slab) == 0 {
				slab = make([]mvccpb.KeyValue, min(left, slabSize))
			}
			kv := &slab[0]
			slab = slab[1:]
			left--
			m.Kvs = append(m.Kvs, kv)
			return decodeKV(bytes, kv)
		case 3:
			m.More = n != 0
		case 4:
			m.Count = int64(n)
		}
		return nil
	})
}

func countKVs(b []byte) (count int) {
	_ = fields(b, func(num protowire.Number, _ []byte, _ uint64) error { // malformed: found again by the decoding
		if num == 2 {
			count++
		}
		return nil
	})
	return count
}

func decodeRangeStream(b []byte, m *pb.RangeStreamResponse) error {
	return fields(b, func(num protowire.Number, bytes []byte, _ uint64) error {
		if num != 1 {
			return nil
		}
		m.RangeResponse = &pb.RangeResponse{}
		return decodeRange(bytes, m.RangeResponse)
	})
}

// smallValue is up to where a value shares its allocation with the key: a key that is kept then keeps
// no more than that.
const smallValue = 256

func decodeKV(b []byte, kv *KV) error {
	var key, value []byte
	err := fields(b, func(num protowire.Number, bytes []byte, n uint64) error {
		switch num {
		case 1:
			key = bytes
		case 2:
			kv.CreateRevision = int64(n)
		case 3:
			kv.ModRevision = int64(n)
		case 4:
			kv.Version = int64(n)
		case 5:
			value = bytes
		case 6:
			kv.Lease = int64(n)
		}
		return nil
	})
	if len(value) > smallValue {
		kv.Key, kv.Value = clone(key), clone(value)
		return err
	}
	both := make([]byte, len(key)+len(value))
	n := copy(both, key)
	copy(both[n:], value)
	if n > 0 {
		kv.Key = both[:n:n]
	}
	if len(value) > 0 {
		kv.Value = both[n:]
	}
	return err
}

func clone(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return append(make([]byte, 0, len(b)), b...)
}

// rangeAnswer is what an answer to a range in a transaction is made of, but for its KVs.
type rangeAnswer struct {
	op     pb.ResponseOp
	kind   pb.ResponseOp_ResponseRange
	resp   pb.RangeResponse
	header pb.ResponseHeader
}

func decodeTxn(b []byte, m *pb.TxnResponse) error {
	count := 0
	_ = fields(b, func(num protowire.Number, _ []byte, _ uint64) error { // malformed: found again below
		if num == 3 {
			count++
		}
		return nil
	})
	answers := make([]rangeAnswer, count)
	if count > 0 {
		m.Responses = make([]*pb.ResponseOp, 0, count)
	}
	return fields(b, func(num protowire.Number, bytes []byte, n uint64) error {
		switch num {
		case 1:
			m.Header = &pb.ResponseHeader{}
			return decodeHeader(bytes, m.Header)
		case 2:
			m.Succeeded = n != 0
		case 3:
			a := &answers[0]
			answers = answers[1:]
			m.Responses = append(m.Responses, &a.op)
			return decodeAnswer(bytes, a)
		}
		return nil
	})
}

// decodeAnswer reads one operation's answer; those to writes and nested transactions are protobuf's.
func decodeAnswer(b []byte, a *rangeAnswer) error {
	num, kind, n := protowire.ConsumeTag(b)
	if n < 0 || num != 1 || kind != protowire.BytesType {
		return proto.Unmarshal(b, &a.op)
	}
	body, m := protowire.ConsumeBytes(b[n:])
	if m < 0 || n+m != len(b) {
		return proto.Unmarshal(b, &a.op)
	}
	a.kind.ResponseRange = &a.resp
	a.op.Response = &a.kind
	a.resp.Header = &a.header
	err := decodeRange(body, &a.resp)
	if a.header.ClusterId == 0 && a.header.Revision == 0 { // there was none
		a.resp.Header = nil
	}
	return err
}
