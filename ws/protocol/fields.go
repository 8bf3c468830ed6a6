package protocol

// field is a name that means something below params.
type field uint8

const (
	fieldTo field = iota
	fieldMessage
	fieldFileType
	fieldMsgID
	fieldIsRetry
	fieldFromUser
	fieldToUser
	fieldConversation
	fieldUpTo
	fieldSeq
	fieldOpenID
	fieldUserName
	fieldLoginStatus
	fieldToken
	fieldMessageID
	fieldUsers
	fieldGroup
	fieldSignal
	fieldConversations
	fieldPending
	fieldCount

	unknownField = fieldCount
)

var fieldNames = [fieldCount]string{
	fieldTo: "toMessageId", fieldMessage: "message", fieldFileType: "fileType", fieldMsgID: "msgid",
	fieldIsRetry: "isretry", fieldFromUser: "fromUser", fieldToUser: "toUser",
	fieldConversation: "conversationId", fieldUpTo: "upTo", fieldSeq: "seq",
	fieldOpenID: "openid", fieldUserName: "userName", fieldLoginStatus: "loginStatus",
	fieldToken: "token", fieldMessageID: "messageId", fieldUsers: "users",
	fieldGroup: "groupId", fieldSignal: "signal",
	fieldConversations: "conversations", fieldPending: "pending",
}

// fieldOf is a switch rather than a search through fieldNames: it runs for every key of every frame.
func fieldOf(name string) field {
	switch name {
	case "toMessageId":
		return fieldTo
	case "message":
		return fieldMessage
	case "fileType":
		return fieldFileType
	case "msgid":
		return fieldMsgID
	case "isretry":
		return fieldIsRetry
	case "fromUser":
		return fieldFromUser
	case "toUser":
		return fieldToUser
	case "conversationId":
		return fieldConversation
	case "upTo":
		return fieldUpTo
	case "seq":
		return fieldSeq
	case "openid":
		return fieldOpenID
	case "userName":
		return fieldUserName
	case "loginStatus":
		return fieldLoginStatus
	case "token":
		return fieldToken
	case "messageId":
		return fieldMessageID
	case "users":
		return fieldUsers
	case "groupId":
		return fieldGroup
	case "signal":
		return fieldSignal
	case "conversations":
		return fieldConversations
	case "pending":
		return fieldPending
	default:
		return unknownField
	}
}

func (at field) missing() *Error           { return FieldError(MissingField, fieldNames[at], "missing") }
func (at field) bad(message string) *Error { return FieldError(BadField, fieldNames[at], message) }

// required returns the string at a field that must be there.
func (d *decoder) required(at field) (string, *Error) {
	switch v := d.fields[at]; v.kind {
	case kindAbsent:
		return "", at.missing()
	case kindText:
		return v.text(), nil
	default:
		return "", at.bad("must be a string")
	}
}

// optional returns the string at a field that may be missing, or null as serializers of old clients write it.
func (d *decoder) optional(at field) (string, *Error) {
	if d.absent(at) {
		return "", nil
	}
	return d.required(at)
}

func (d *decoder) absent(at field) bool { return d.fields[at].kind <= kindNull }

// optionals reads several optional strings, each into its place.
func (d *decoder) optionals(at [3]field, into [3]*string) *Error {
	for i := range at {
		var err *Error
		if *into[i], err = d.optional(at[i]); err != nil {
			return err
		}
	}
	return nil
}
