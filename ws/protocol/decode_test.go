package protocol_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	. "github.com/yanlink/yanlink/ws/protocol"
)

const (
	conv1 = "000000000000002a"
	conv2 = "000000000000002b"
	msg1  = conv1 + "0000000000000007"
	msg2  = conv2 + "0000000000000001"
)

func TestDecode_OK(t *testing.T) {
	for name, c := range map[string]struct {
		data string
		want Frame
	}{
		"Send": {
			`{"type":1,"id":"r-1","params":{"toMessageId":"b","message":"hi","fileType":4,"msgid":"m1","isretry":true}}`,
			Frame{Type: TypeSend, ID: `"r-1"`, To: "b", Message: "hi", FileType: 4, MsgID: "m1", IsRetry: true},
		},
		"SendLeast":           {`{"type":1,"params":{"toMessageId":"b","message":""}}`, Frame{Type: TypeSend, To: "b"}},
		"SendParamsFirst":     {`{"params":{"message":"hi","toMessageId":"b"},"id":7,"type":1}`, Frame{Type: TypeSend, ID: "7", To: "b", Message: "hi"}},
		"SendTypeAsString":    {`{"type":"1","params":{"toMessageId":"b","message":"hi"}}`, Frame{Type: TypeSend, To: "b", Message: "hi"}},
		"SendFileTypeString":  {`{"type":1,"params":{"toMessageId":"b","message":"hi","fileType":"3"}}`, Frame{Type: TypeSend, To: "b", Message: "hi", FileType: 3}},
		"SendNulls":           {`{"type":1,"params":{"toMessageId":"b","message":"hi","fileType":null,"msgid":null,"isretry":null}}`, Frame{Type: TypeSend, To: "b", Message: "hi"}},
		"SendRetryNumber":     {`{"type":1,"params":{"toMessageId":"b","message":"hi","isretry":1}}`, Frame{Type: TypeSend, To: "b", Message: "hi", IsRetry: true}},
		"SendRetryString":     {`{"type":1,"params":{"toMessageId":"b","message":"hi","isretry":"true"}}`, Frame{Type: TypeSend, To: "b", Message: "hi", IsRetry: true}},
		"SendNoRetry":         {`{"type":1,"params":{"toMessageId":"b","message":"hi","isretry":"false"}}`, Frame{Type: TypeSend, To: "b", Message: "hi"}},
		"SendEscapes":         {`{"type":1,"params":{"toMessageId":"b","message":"\"\\\/\b\f\n\r\t\u00e9\uD83D\ude00 é"}}`, Frame{Type: TypeSend, To: "b", Message: "\"\\/\b\f\n\r\té😀 é"}},
		"SendEscapedKeys":     {`{"\u0074ype":1,"par\u0061ms":{"toMess\u0061geId":"b","message":"hi"}}`, Frame{Type: TypeSend, To: "b", Message: "hi"}},
		"SendLongMsgID":       {`{"type":1,"params":{"toMessageId":"b","message":"","msgid":"` + strings.Repeat("漢", 64) + `"}}`, Frame{Type: TypeSend, To: "b", MsgID: strings.Repeat("漢", 64)}},
		"SendSpace":           {" {\t\"type\" :\r1 ,\n\"params\" : { \"toMessageId\" : \"b\" , \"message\" : \"hi\" } } \n", Frame{Type: TypeSend, To: "b", Message: "hi"}},
		"UnknownIgnored":      {`{"type":11,"x":[1,{"y":null}],"x":-0.5e+3,"params":{"z":1,"z":{"type":2}},"Type":5,"ID":[]}`, Frame{Type: TypeHeartbeat}},
		"ForeignFieldIgnored": {`{"type":1,"params":{"toMessageId":"b","message":"hi","token":5,"pending":"x"}}`, Frame{Type: TypeSend, To: "b", Message: "hi"}},
		"Ack": {
			`{"type":15,"params":{"from":{"any":1},"msgid":"m1","fromUser":"a","toUser":"b"}}`,
			Frame{Type: TypeAck, MsgID: "m1", FromUser: "a", ToUser: "b"},
		},
		"AckLeast": {`{"type":15,"params":{"msgid":"m1"}}`, Frame{Type: TypeAck, MsgID: "m1"}},
		"AckUserObjects": {
			`{"type":15,"params":{"msgid":"m1","fromUser":{"openid":"a","loginStatus":"1","userName":"Al"},"toUser":{"userName":{},"openid":"\u0062"}}}`,
			Frame{Type: TypeAck, MsgID: "m1", FromUser: "a", ToUser: "b"},
		},
		"AckUpTo":             {`{"type":15,"params":{"conversationId":"` + conv1 + `","upTo":9007199254740992}}`, Frame{Type: TypeAck, Conversation: 0x2a, UpTo: 1 << 53}},
		"AckUpToEmptyMsgID":   {`{"type":15,"params":{"msgid":"","conversationId":"` + conv1 + `","upTo":1}}`, Frame{Type: TypeAck, Conversation: 0x2a, UpTo: 1}},
		"AckWithConversation": {`{"type":15,"params":{"msgid":"m1","conversationId":"` + conv1 + `","upTo":null}}`, Frame{Type: TypeAck, MsgID: "m1"}},
		"Register":            {`{"type":7,"params":{"openid":"a","userName":"Al","loginStatus":"0"}}`, Frame{Type: TypeRegister, OpenID: "a", UserName: "Al", LoginStatus: "0"}},
		"RegisterLeast":       {`{"type":7}`, Frame{Type: TypeRegister}},
		"Heartbeat":           {`{"type":11,"id":-1.5e3}`, Frame{Type: TypeHeartbeat, ID: "-1.5e3"}},
		"HeartbeatNullParams": {`{"type":11,"params":null}`, Frame{Type: TypeHeartbeat}},
		"Ping":                {`{"type":"20","params":{}}`, Frame{Type: TypePing}},
		"PingNumber":          {`{"type":20}`, Frame{Type: TypePing}},
		"Renew":               {`{"type":22,"params":{"token":"t"}}`, Frame{Type: TypeRenew, Token: "t"}},
		"Watch":               {`{"type":23,"params":{"users":["a","\u0062"]}}`, Frame{Type: TypeWatch, Users: []string{"a", "b"}}},
		"WatchNobody":         {`{"type":23,"id":"w","params":{"users":[]}}`, Frame{Type: TypeWatch, ID: `"w"`}},
		"Signal":              {`{"type":27,"params":{"toMessageId":"b","signal":"typing"}}`, Frame{Type: TypeSignal, To: "b", Signal: "typing"}},
		"SignalGroup":         {`{"type":27,"params":{"groupId":"g","toMessageId":null,"signal":"typing"}}`, Frame{Type: TypeSignal, Group: "g", Signal: "typing"}},
		"SignalLongest": {
			`{"type":27,"params":{"toMessageId":"b","signal":"` + strings.Repeat("x", MaxSignal) + `"}}`,
			Frame{Type: TypeSignal, To: "b", Signal: strings.Repeat("x", MaxSignal)},
		},
		"Read": {
			`{"type":25,"id":1,"params":{"conversationId":"` + conv1 + `","seq":7}}`,
			Frame{Type: TypeRead, ID: "1", Conversation: 0x2a, Seq: 7},
		},
		"Recall":               {`{"type":30,"params":{"messageId":"` + msg1 + `"}}`, Frame{Type: TypeRecall, MessageID: MessageID{0x2a, 7}}},
		"SyncEmpty":            {`{"type":28}`, Frame{Type: TypeSync}},
		"SyncNothing":          {`{"type":28,"params":{"conversations":{},"pending":[]}}`, Frame{Type: TypeSync}},
		"SyncNull":             {`{"type":28,"params":{"conversations":null,"pending":null}}`, Frame{Type: TypeSync}},
		"IDOf64":               {`{"type":11,"id":"` + strings.Repeat("漢", 64) + `"}`, Frame{Type: TypeHeartbeat, ID: `"` + strings.Repeat("漢", 64) + `"`}},
		"IDEscapedStaysSo":     {`{"type":11,"id":"a\n\u2028"}`, Frame{Type: TypeHeartbeat, ID: `"a\n\u2028"`}},
		"AsDeepAsMay":          {`{"type":11,"x":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `}`, Frame{Type: TypeHeartbeat}},
		"SyncMarksByTheNumber": {syncOf(`{"`+conv2+`":0,"`+conv1+`":7}`, `["`+msg2+`","`+msg1+`"]`), Frame{Type: TypeSync, Marks: []Mark{{0x2a, 7}, {0x2b, 0}}, Pending: []MessageID{{0x2b, 1}, {0x2a, 7}}}},
		"SyncFull": {
			syncOf(marksOf(MaxMarks), pendingOf(MaxPending)),
			Frame{Type: TypeSync, Marks: fullMarks(), Pending: fullPending()},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var f Frame
			require.Nil(t, Decode([]byte(c.data), &f))
			require.Equal(t, c.want, f)
		})
	}
}

func syncOf(conversations, pending string) string {
	return `{"type":28,"params":{"conversations":` + conversations + `,"pending":` + pending + `}}`
}

func marksOf(n int) string {
	entries := make([]string, n)
	for i := range entries {
		entries[i] = fmt.Sprintf(`"%016x":%d`, i+1, i)
	}
	return "{" + strings.Join(entries, ",") + "}"
}

func pendingOf(n int) string {
	entries := make([]string, n)
	for i := range entries {
		entries[i] = fmt.Sprintf(`"%016x%016x"`, 1, i+1)
	}
	return "[" + strings.Join(entries, ",") + "]"
}

func fullMarks() (marks []Mark) {
	for i := range MaxMarks {
		marks = append(marks, Mark{ConversationID(i + 1), uint64(i)})
	}
	return marks
}

func fullPending() (ids []MessageID) {
	for i := range MaxPending {
		ids = append(ids, MessageID{1, uint64(i + 1)})
	}
	return ids
}

func sendWith(field string) string {
	return `{"type":1,"params":{"toMessageId":"b","message":"hi",` + field + `}}`
}

func TestDecode_Errors(t *testing.T) {
	for name, c := range map[string]struct {
		data  string
		code  Code
		field string
	}{
		"Array":          {`[]`, BadFrame, ""},
		"Scalar":         {` 1 `, BadFrame, ""},
		"String":         {`"x"`, BadFrame, ""},
		"Null":           {`null`, BadFrame, ""},
		"TypeTwice":      {`{"type":11,"type":11}`, BadFrame, "type"},
		"IDTwice":        {`{"type":11,"id":1,"id":1}`, BadFrame, "id"},
		"ParamsTwice":    {`{"type":11,"params":{},"params":{}}`, BadFrame, "params"},
		"NullParams2":    {`{"type":11,"params":null,"params":{}}`, BadFrame, "params"},
		"MsgIDTwice":     {sendWith(`"msgid":"a","msgid":"a"`), BadFrame, "msgid"},
		"EscapedTwice":   {sendWith(`"msgid":"a","msg\u0069d":"a"`), BadFrame, "msgid"},
		"MarkTwice":      {syncOf(`{"`+conv1+`":1,"`+conv2+`":1,"`+conv1+`":2}`, `[]`), BadFrame, "conversations." + conv1},
		"OpenIDTwice":    {`{"type":15,"params":{"msgid":"m","toUser":{"openid":"a","openid":"b"}}}`, BadFrame, "toUser.openid"},
		"TypeMissing":    {`{}`, MissingField, "type"},
		"TypeNull":       {`{"type":null}`, BadField, "type"},
		"TypeBool":       {`{"type":true}`, BadField, "type"},
		"TypeObject":     {`{"type":{}}`, BadField, "type"},
		"TypeWord":       {`{"type":"ping"}`, BadField, "type"},
		"TypeEmpty":      {`{"type":""}`, BadField, "type"},
		"TypeLeading0":   {`{"type":"01"}`, BadField, "type"},
		"TypeFraction":   {`{"type":1.0}`, BadField, "type"},
		"TypeExponent":   {`{"type":1e0}`, BadField, "type"},
		"TypeHuge":       {`{"type":1e999}`, BadField, "type"},
		"TypeOverflow":   {`{"type":18446744073709551617}`, BadField, "type"},
		"TypeUnknown":    {`{"type":99}`, UnknownType, "type"},
		"TypeNegative":   {`{"type":-1}`, UnknownType, "type"},
		"TypeReserved":   {`{"type":13}`, UnknownType, "type"},
		"TypeOfServer":   {`{"type":0}`, UnknownType, "type"},
		"TypeOfServer2":  {`{"type":2}`, UnknownType, "type"},
		"TypeOfServer29": {`{"type":29}`, UnknownType, "type"},
		"TypeError":      {`{"type":500}`, UnknownType, "type"},
		"IDNull":         {`{"type":11,"id":null}`, BadField, "id"},
		"IDBool":         {`{"type":11,"id":true}`, BadField, "id"},
		"IDObject":       {`{"type":11,"id":{}}`, BadField, "id"},
		"IDLong":         {`{"type":11,"id":"` + strings.Repeat("x", 65) + `"}`, BadField, "id"},
		"IDLongNumber":   {`{"type":11,"id":` + strings.Repeat("1", 65) + `}`, BadField, "id"},
		"ParamsArray":    {`{"type":1,"params":[]}`, BadField, "params"},
		"ParamsString":   {`{"type":11,"params":""}`, BadField, "params"},

		"SendNoParams":     {`{"type":1}`, MissingField, "toMessageId"},
		"SendNullParams":   {`{"type":1,"params":null}`, MissingField, "toMessageId"},
		"SendNoTo":         {`{"type":1,"params":{"message":"hi"}}`, MissingField, "toMessageId"},
		"SendNoMessage":    {`{"type":1,"params":{"toMessageId":"b"}}`, MissingField, "message"},
		"SendToNumber":     {`{"type":1,"params":{"toMessageId":5,"message":"hi"}}`, BadField, "toMessageId"},
		"SendToEmpty":      {`{"type":1,"params":{"toMessageId":"","message":"hi"}}`, BadField, "toMessageId"},
		"SendToComma":      {`{"type":1,"params":{"toMessageId":"a,b","message":"hi"}}`, BadField, "toMessageId"},
		"SendToControl":    {`{"type":1,"params":{"toMessageId":"a\u0000","message":"hi"}}`, BadField, "toMessageId"},
		"SendToLong":       {`{"type":1,"params":{"toMessageId":"` + strings.Repeat("x", 129) + `","message":"hi"}}`, BadField, "toMessageId"},
		"SendMessageNull":  {`{"type":1,"params":{"toMessageId":"b","message":null}}`, BadField, "message"},
		"SendMessageArray": {`{"type":1,"params":{"toMessageId":"b","message":["hi"]}}`, BadField, "message"},
		"SendMessageObj":   {`{"type":1,"params":{"toMessageId":"b","message":{"a":1}}}`, BadField, "message"},
		"FileType5":        {sendWith(`"fileType":5`), BadField, "fileType"},
		"FileTypeMinus":    {sendWith(`"fileType":-1`), BadField, "fileType"},
		"FileTypeHalf":     {sendWith(`"fileType":0.5`), BadField, "fileType"},
		"FileTypeHuge":     {sendWith(`"fileType":1e400`), BadField, "fileType"},
		"FileTypeWraps":    {sendWith(`"fileType":256`), BadField, "fileType"},
		"FileTypeWord":     {sendWith(`"fileType":"text"`), BadField, "fileType"},
		"FileTypeEmpty":    {sendWith(`"fileType":""`), BadField, "fileType"},
		"FileTypeBool":     {sendWith(`"fileType":true`), BadField, "fileType"},
		"FileTypeArray":    {sendWith(`"fileType":[1]`), BadField, "fileType"},
		"MsgIDNumber":      {sendWith(`"msgid":5`), BadField, "msgid"},
		"MsgIDLong":        {sendWith(`"msgid":"` + strings.Repeat("x", 65) + `"`), BadField, "msgid"},
		"MsgIDControl":     {sendWith(`"msgid":"a\n"`), BadField, "msgid"},
		"IsRetryObject":    {sendWith(`"isretry":{}`), BadField, "isretry"},

		"AckNothing":        {`{"type":15,"params":{}}`, MissingField, "msgid"},
		"AckEmptyMsgID":     {`{"type":15,"params":{"msgid":""}}`, MissingField, "msgid"},
		"AckMsgIDNumber":    {`{"type":15,"params":{"msgid":16516}}`, BadField, "msgid"},
		"AckFromUserNumber": {`{"type":15,"params":{"msgid":"m","fromUser":5}}`, BadField, "fromUser"},
		"AckFromUserComma":  {`{"type":15,"params":{"msgid":"m","fromUser":"a,b"}}`, BadField, "fromUser"},
		"AckToUserArray":    {`{"type":15,"params":{"msgid":"m","toUser":["a"]}}`, BadField, "toUser"},
		"AckToUserEmptyObj": {`{"type":15,"params":{"msgid":"m","toUser":{}}}`, BadField, "toUser.openid"},
		"AckToUserObjNum":   {`{"type":15,"params":{"msgid":"m","toUser":{"openid":5}}}`, BadField, "toUser.openid"},
		"AckNoUpTo":         {`{"type":15,"params":{"conversationId":"` + conv1 + `"}}`, MissingField, "upTo"},
		"AckNoConversation": {`{"type":15,"params":{"upTo":1}}`, MissingField, "conversationId"},
		"AckBothForms":      {`{"type":15,"params":{"msgid":"m","conversationId":"` + conv1 + `","upTo":1}}`, BadField, "upTo"},
		"AckUpTo0":          {`{"type":15,"params":{"conversationId":"` + conv1 + `","upTo":0}}`, BadField, "upTo"},
		"AckUpToString":     {`{"type":15,"params":{"conversationId":"` + conv1 + `","upTo":"1"}}`, BadField, "upTo"},
		"AckUpToOver":       {`{"type":15,"params":{"conversationId":"` + conv1 + `","upTo":9007199254740993}}`, BadField, "upTo"},
		"AckUpToHuge":       {`{"type":15,"params":{"conversationId":"` + conv1 + `","upTo":99999999999999999999999}}`, BadField, "upTo"},
		"AckConvForm":       {`{"type":15,"params":{"conversationId":"2a","upTo":1}}`, BadField, "conversationId"},
		"AckConvNumber":     {`{"type":15,"params":{"conversationId":42,"upTo":1}}`, BadField, "conversationId"},

		"RegisterOpenID":  {`{"type":7,"params":{"openid":1}}`, BadField, "openid"},
		"RegisterName":    {`{"type":7,"params":{"userName":[]}}`, BadField, "userName"},
		"RegisterStatus":  {`{"type":7,"params":{"loginStatus":1}}`, BadField, "loginStatus"},
		"RenewMissing":    {`{"type":22,"params":{}}`, MissingField, "token"},
		"RenewEmpty":      {`{"type":22,"params":{"token":""}}`, BadField, "token"},
		"RenewNumber":     {`{"type":22,"params":{"token":1}}`, BadField, "token"},
		"WatchMissing":    {`{"type":23}`, MissingField, "users"},
		"WatchNull":       {`{"type":23,"params":{"users":null}}`, MissingField, "users"},
		"WatchText":       {`{"type":23,"params":{"users":"a,b"}}`, BadField, "users"},
		"WatchNumber":     {`{"type":23,"params":{"users":[1]}}`, BadField, "users"},
		"WatchForm":       {`{"type":23,"params":{"users":["a,b"]}}`, BadField, "users"},
		"WatchTooMany":    {`{"type":23,"params":{"users":["a"` + strings.Repeat(`,"a"`, MaxUsers) + `]}}`, BadField, "users"},
		"SignalToMissing": {`{"type":27,"params":{"signal":"typing"}}`, MissingField, "toMessageId"},
		"SignalTo":        {`{"type":27,"params":{"toMessageId":"a,b","signal":"typing"}}`, BadField, "toMessageId"},
		"SignalBoth":      {`{"type":27,"params":{"toMessageId":"b","groupId":"g","signal":"typing"}}`, BadField, "groupId"},
		"SignalMissing":   {`{"type":27,"params":{"toMessageId":"b"}}`, MissingField, "signal"},
		"SignalEmpty":     {`{"type":27,"params":{"toMessageId":"b","signal":""}}`, BadField, "signal"},
		"SignalObject":    {`{"type":27,"params":{"toMessageId":"b","signal":{}}}`, BadField, "signal"},
		"SignalTooLong":   {`{"type":27,"params":{"toMessageId":"b","signal":"` + strings.Repeat("x", MaxSignal+1) + `"}}`, BadField, "signal"},
		"ReadMissing":     {`{"type":25,"params":{"seq":7}}`, MissingField, "conversationId"},
		"ReadForm":        {`{"type":25,"params":{"conversationId":"2a","seq":7}}`, BadField, "conversationId"},
		"ReadSeqMissing":  {`{"type":25,"params":{"conversationId":"` + conv1 + `"}}`, MissingField, "seq"},
		"ReadSeqZero":     {`{"type":25,"params":{"conversationId":"` + conv1 + `","seq":0}}`, BadField, "seq"},
		"ReadSeqText":     {`{"type":25,"params":{"conversationId":"` + conv1 + `","seq":"7"}}`, BadField, "seq"},
		"RecallMissing":   {`{"type":30}`, MissingField, "messageId"},
		"RecallForm":      {`{"type":30,"params":{"messageId":"x"}}`, BadField, "messageId"},
		"RecallNumber":    {`{"type":30,"params":{"messageId":1}}`, BadField, "messageId"},

		"SyncMarksArray":   {syncOf(`[]`, `[]`), BadField, "conversations"},
		"SyncMarksKey":     {syncOf(`{"2a":1}`, `[]`), BadField, "conversations"},
		"SyncMarksString":  {syncOf(`{"`+conv1+`":"1"}`, `[]`), BadField, "conversations." + conv1},
		"SyncMarksMinus":   {syncOf(`{"`+conv1+`":-1}`, `[]`), BadField, "conversations." + conv1},
		"SyncMarksHuge":    {syncOf(`{"`+conv1+`":1e30}`, `[]`), BadField, "conversations." + conv1},
		"SyncMarksMany":    {syncOf(marksOf(MaxMarks+1), `[]`), BadField, "conversations"},
		"SyncPendingObj":   {syncOf(`{}`, `{}`), BadField, "pending"},
		"SyncPendingNum":   {syncOf(`{}`, `[1]`), BadField, "pending"},
		"SyncPendingForm":  {syncOf(`{}`, `["`+conv1+`"]`), BadField, "pending"},
		"SyncPendingMany":  {syncOf(`{}`, pendingOf(MaxPending+1)), BadField, "pending"},
		"JSONComesFirst":   {`{"type":99,"type":99,"id":{},`, BadJSON, ""},
		"TwiceBeforeID":    {`{"type":"x","id":null,"type":1}`, BadFrame, "type"},
		"IDBeforeType":     {`{"type":"x","id":null}`, BadField, "id"},
		"TypeBeforeParams": {`{"type":99,"params":[]}`, UnknownType, "type"},
	} {
		t.Run(name, func(t *testing.T) {
			var f Frame
			err := Decode([]byte(c.data), &f)
			require.NotNil(t, err)
			require.Equal(t, c.code, err.Code, err.Message)
			require.Equal(t, c.field, err.Field)
			require.NotEmpty(t, err.Message)
		})
	}
}

// A 500 has to repeat id and msgid, wherever the fault stands and in whatever order the keys come.
func TestDecode_ErrorsAreIdentified(t *testing.T) {
	for name, data := range map[string]string{
		"BadField":        `{"id":"x","type":1,"params":{"toMessageId":"b","message":"hi","msgid":"m1","fileType":9}}`,
		"ParamsFirst":     `{"params":{"msgid":"m1","toMessageId":5},"type":1,"id":"x"}`,
		"Missing":         `{"params":{"msgid":"m1"},"id":"x","type":1}`,
		"NoType":          `{"params":{"msgid":"m1"},"id":"x"}`,
		"UnknownType":     `{"type":9,"params":{"msgid":"m1"},"id":"x"}`,
		"Twice":           `{"type":1,"params":{"msgid":"m1","msgid":"m2"},"id":"x","id":"y"}`,
		"TypeTwice":       `{"type":1,"type":1,"params":{"msgid":"m1"},"id":"x"}`,
		"BadJSON":         `{"type":1,"id":"x","params":{"msgid":"m1","message":"hi`,
		"TrailingData":    `{"type":1,"id":"x","params":{"msgid":"m1"}}}`,
		"TooDeep":         `{"type":1,"id":"x","params":{"msgid":"m1","x":` + nested(31, "[", ""),
		"InvalidUTF8":     "{\"type\":1,\"id\":\"x\",\"params\":{\"msgid\":\"m1\",\"message\":\"\xff\"}}",
		"EscapedMsgID":    `{"type":1,"id":"x","params":{"msgid":"\u006d1"}}`,
		"UnpairedLater":   `{"type":1,"id":"x","params":{"msgid":"m1","message":"\ud800"}}`,
		"ControlInString": "{\"type\":1,\"id\":\"x\",\"params\":{\"msgid\":\"m1\",\"message\":\"\n\"}}",
	} {
		t.Run(name, func(t *testing.T) {
			var f Frame
			err := Decode([]byte(data), &f)
			require.NotNil(t, err)
			require.Equal(t, `"x"`, f.ID)
			require.Equal(t, "m1", f.MsgID)
			require.Equal(t, "m1", err.MsgID)
		})
	}
	t.Run("NothingUsable", func(t *testing.T) {
		for _, data := range []string{
			`{"type":1,"id":{},"params":{"msgid":5}}`,
			`{"type":1,"id":"` + strings.Repeat("x", 65) + `","params":{"msgid":"` + strings.Repeat("x", 65) + `"}}`,
			"{\"type\":1,\"id\":\"x\xff\"}",
			`{"type":1,"id":"x`,
		} {
			f := Frame{ID: "old", MsgID: "old"}
			err := Decode([]byte(data), &f)
			require.NotNil(t, err)
			require.Empty(t, f.ID)
			require.Empty(t, f.MsgID)
			require.Empty(t, err.MsgID)
		}
	})
	t.Run("FirstOfTwo", func(t *testing.T) {
		var f Frame
		require.NotNil(t, Decode([]byte(`{"type":1,"id":1,"id":2}`), &f))
		require.Equal(t, "1", f.ID)
		require.Equal(t, Type(0), f.Type)
	})
}

// One Frame serves many calls: nothing of the frame before may show in the next one, and data is the caller's again.
func TestDecode_Reuse(t *testing.T) {
	var f Frame
	require.Nil(t, Decode([]byte(syncOf(marksOf(3), pendingOf(3))), &f))
	require.Len(t, f.Marks, 3)
	data := []byte(`{"type":1,"params":{"toMessageId":"b","message":"hi"}}`)
	require.Nil(t, Decode(data, &f))
	clear(data)
	require.Equal(t, "hi", f.Message)
	require.Empty(t, f.Marks)
	require.Empty(t, f.Pending)
	require.Nil(t, Decode([]byte(`{"type":11}`), &f))
	f.Marks, f.Pending = nil, nil
	require.Equal(t, Frame{Type: TypeHeartbeat}, f)
}

// The text of an error goes back to the client and perhaps to a log; what somebody wrote must not.
func TestDecode_ErrorsQuoteNothing(t *testing.T) {
	const secret = "s3cret"
	for _, data := range []string{
		`{"type":"` + secret + `"}`,
		`{"type":1,"params":{"toMessageId":"` + secret + `,","message":"hi"}}`,
		sendWith(`"fileType":"` + secret + `"`),
		syncOf(`{"`+secret+`":1}`, `[]`),
		syncOf(`{}`, `["`+secret+`"]`),
		`{"type":22,"params":{"token":["` + secret + `"]}}`,
		`{"` + secret + `":` + secret + `}`,
	} {
		var f Frame
		err := Decode([]byte(data), &f)
		require.NotNil(t, err)
		require.NotContains(t, err.Error(), secret)
		require.NotContains(t, err.Field, secret)
	}
}
