package etcdapi

import (
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
)

// messages are answers of every kind that the codec reads by hand.
func messages() []proto.Message {
	header := &pb.ResponseHeader{ClusterId: 1 << 63, MemberId: 7, Revision: 12, RaftTerm: 3}
	kv := &KV{Key: []byte("k"), Value: []byte("v"), CreateRevision: 1, ModRevision: 2, Version: 3, Lease: -4}
	large := &KV{Key: []byte("large"), Value: make([]byte, 1000), Version: 1}
	empty := &KV{Key: []byte("empty"), ModRevision: 9}
	var many []*KV
	for i := range 100 {
		many = append(many, &KV{Key: []byte{byte(i)}, Value: []byte{0, 255}, ModRevision: int64(i)})
	}
	answer := func(kvs ...*KV) *pb.ResponseOp {
		return &pb.ResponseOp{Response: &pb.ResponseOp_ResponseRange{ResponseRange: &pb.RangeResponse{Header: header, Kvs: kvs, Count: int64(len(kvs))}}}
	}
	return []proto.Message{
		&pb.RangeResponse{},
		&pb.RangeResponse{Header: header, Kvs: []*KV{kv, large, empty}, More: true, Count: 5},
		&pb.RangeResponse{Kvs: many},
		&pb.RangeStreamResponse{},
		&pb.RangeStreamResponse{RangeResponse: &pb.RangeResponse{Kvs: many}},
		&pb.RangeStreamResponse{RangeResponse: &pb.RangeResponse{Header: header, Count: 3}},
		&pb.TxnResponse{},
		&pb.TxnResponse{Header: header, Succeeded: true, Responses: []*pb.ResponseOp{answer(kv), answer(), answer(large, empty)}},
		&pb.TxnResponse{Header: header, Responses: []*pb.ResponseOp{
			{Response: &pb.ResponseOp_ResponsePut{ResponsePut: &pb.PutResponse{PrevKv: kv}}},
			{Response: &pb.ResponseOp_ResponseDeleteRange{ResponseDeleteRange: &pb.DeleteRangeResponse{Deleted: 2, PrevKvs: many}}},
			{Response: &pb.ResponseOp_ResponseTxn{ResponseTxn: &pb.TxnResponse{Responses: []*pb.ResponseOp{answer(kv)}}}},
			{Response: &pb.ResponseOp_ResponseRange{ResponseRange: &pb.RangeResponse{Kvs: []*KV{kv}}}},
			{},
		}},
		&pb.PutResponse{Header: header, PrevKv: kv},
	}
}

func decodeBy(t *testing.T, wire []byte, like proto.Message) (proto.Message, error) {
	t.Helper()
	got := like.ProtoReflect().New().Interface()
	return got, newCodec().Unmarshal(mem.BufferSlice{mem.SliceBuffer(wire)}, got)
}

func TestCodecReadsWhatProtobufReads(t *testing.T) {
	for i, want := range messages() {
		wire, err := proto.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeBy(t, wire, want)
		if err != nil || !proto.Equal(got, want) {
			t.Errorf("message %d: %v, %v\nwant %v", i, err, got, want)
		}
	}
}

// A key or value that is kept must not see the bytes of the next answer.
func TestCodecCopiesFromTheBuffer(t *testing.T) {
	want := messages()[1]
	wire, _ := proto.Marshal(want)
	got, err := decodeBy(t, wire, want)
	if err != nil {
		t.Fatal(err)
	}
	clear(wire)
	if !proto.Equal(got, want) {
		t.Error("the message changed with the buffer that it was read from")
	}
	kv := got.(*pb.RangeResponse).Kvs[0]
	_ = append(kv.Key, "overwrites?"...)
	if string(kv.Value) != "v" {
		t.Errorf("appending to a key changed the value to %q", kv.Value)
	}
}

// Whatever the bytes are, the codec and protobuf read the same, or both refuse.
func FuzzCodec(f *testing.F) {
	for i, m := range messages() {
		wire, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(i, wire)
	}
	f.Fuzz(func(t *testing.T, which int, wire []byte) {
		all := messages()
		if which < 0 || which >= len(all) {
			t.Skip("no such message")
		}
		want := all[which].ProtoReflect().New().Interface()
		wantErr := proto.Unmarshal(wire, want)
		got, err := decodeBy(t, wire, want)
		if wantErr != nil || hasOddities(want, wire) {
			return // malformed, or something that no etcd sends: only that it does not panic
		}
		if err != nil || !proto.Equal(got, want) {
			t.Errorf("%v, %v\nwant %v", err, got, want)
		}
	})
}

// hasOddities reports what protobuf allows and no server sends, and the codec does not imitate: unknown
// fields, messages in several pieces, and overlong encodings. Encoding it again then gives other bytes.
func hasOddities(m proto.Message, wire []byte) bool {
	again, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	return err != nil || string(again) != string(wire) || hasUnknown(m)
}

func hasUnknown(m proto.Message) bool {
	plain := proto.Clone(m)
	_ = proto.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(mustMarshal(m), plain)
	return !proto.Equal(plain, m)
}

func mustMarshal(m proto.Message) []byte {
	b, _ := proto.Marshal(m)
	return b
}
