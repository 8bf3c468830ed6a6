package protocol

func (d *decoder) send(f *Frame) (err *Error) {
	if f.To, err = d.required(fieldTo); err != nil {
		return err
	}
	if !ValidOpenID(f.To) {
		return fieldTo.bad("must be 1 to 128 bytes without comma and control characters")
	}
	if f.Message, err = d.required(fieldMessage); err != nil {
		return err
	}
	if f.FileType, err = d.fileType(); err != nil {
		return err
	}
	if f.MsgID, err = d.msgID(); err != nil {
		return err
	}
	f.IsRetry, err = d.isRetry()
	return err
}

func (d *decoder) fileType() (uint8, *Error) {
	if d.absent(fieldFileType) {
		return 0, nil
	}
	v := d.fields[fieldFileType]
	digits := v.raw
	if v.kind == kindText {
		digits = v.text()
	}
	n, ok := parseInteger(digits)
	if !ok || n > MaxFileType {
		return 0, fieldFileType.bad("must be a number from 0 to 4")
	}
	return uint8(n), nil
}

func (d *decoder) msgID() (string, *Error) {
	msgID, err := d.optional(fieldMsgID)
	if err != nil {
		return "", err
	}
	if !ValidMsgID(msgID) {
		return "", fieldMsgID.bad("must be at most 64 characters without control characters")
	}
	return msgID, nil
}

func (d *decoder) isRetry() (bool, *Error) {
	switch v := d.fields[fieldIsRetry]; v.kind {
	case kindAbsent, kindNull:
		return false, nil
	case kindBool:
		return v.raw == "true", nil
	case kindNumber:
		return v.raw != "0", nil
	case kindText:
		said := v.text()
		return said == "true" || said == "1", nil
	default:
		return false, fieldIsRetry.bad("must be true or false")
	}
}

// ack reads both forms: one message by the sender's key, or everything of a conversation up to a seq.
func (d *decoder) ack(f *Frame) (err *Error) {
	if f.MsgID, err = d.msgID(); err != nil {
		return err
	}
	if f.FromUser, err = d.user(fieldFromUser); err != nil {
		return err
	}
	if f.ToUser, err = d.user(fieldToUser); err != nil {
		return err
	}
	conversation, err := d.conversation()
	if err != nil {
		return err
	}
	upTo, err := d.upTo()
	if err != nil {
		return err
	}
	switch {
	case upTo == 0 && f.MsgID != "":
		return nil
	case upTo == 0 && conversation != 0:
		return fieldUpTo.missing()
	case upTo == 0:
		return fieldMsgID.missing()
	case f.MsgID != "":
		return fieldUpTo.bad("give either msgid or conversationId with upTo")
	case conversation == 0:
		return fieldConversation.missing()
	}
	f.Conversation, f.UpTo = conversation, upTo
	return nil
}

// user reads an openid, or the object around one: old clients echo the object that frame 2 showed them.
func (d *decoder) user(at field) (openID string, err *Error) {
	v := d.fields[at]
	if v.kind == kindObject {
		if v, err = openIDOf(v, at); err != nil {
			return "", err
		}
	}
	switch v.kind {
	case kindAbsent, kindNull:
		return "", nil
	case kindText:
		openID = v.text()
	default:
		return "", at.bad("must be an openid, or an object with one")
	}
	if openID != "" && !ValidOpenID(openID) {
		return "", at.bad("must be at most 128 bytes without comma and control characters")
	}
	return openID, nil
}

func openIDOf(user value, at field) (openID value, err *Error) {
	s := scanner{input: user.raw, pos: 1}
	for first := true; ; first = false {
		key, more, err := s.member(first)
		if err != nil {
			return value{}, err
		}
		if !more {
			break
		}
		v, err := s.value(1)
		if err != nil {
			return value{}, err
		}
		if key.text() != "openid" {
			continue
		}
		if openID.kind != kindAbsent {
			return value{}, FieldError(BadFrame, fieldNames[at]+".openid", "given twice")
		}
		openID = v
	}
	if openID.kind != kindText {
		return value{}, FieldError(BadField, fieldNames[at]+".openid", "must be a string")
	}
	return openID, nil
}

func (d *decoder) conversation() (ConversationID, *Error) {
	if d.absent(fieldConversation) {
		return 0, nil
	}
	said, err := d.required(fieldConversation)
	if err != nil {
		return 0, err
	}
	id, bad := ParseConversationID(said)
	if bad != nil {
		return 0, fieldConversation.bad(bad.Error())
	}
	return id, nil
}

// upTo returns 0 if none was given.
func (d *decoder) upTo() (uint64, *Error) {
	if d.absent(fieldUpTo) {
		return 0, nil
	}
	return d.position(fieldUpTo)
}

// position reads a seq that is there.
func (d *decoder) position(at field) (uint64, *Error) {
	n, ok := d.fields[at].integer()
	if !ok || n == 0 {
		return 0, at.bad("must be a whole number from 1 to 2^53")
	}
	return n, nil
}

func (d *decoder) markRead(f *Frame) (err *Error) {
	if d.absent(fieldConversation) {
		return fieldConversation.missing()
	}
	if f.Conversation, err = d.conversation(); err != nil {
		return err
	}
	if d.absent(fieldSeq) {
		return fieldSeq.missing()
	}
	f.Seq, err = d.position(fieldSeq)
	return err
}

func (d *decoder) register(f *Frame) *Error {
	return d.optionals(
		[...]field{fieldOpenID, fieldUserName, fieldLoginStatus},
		[...]*string{&f.OpenID, &f.UserName, &f.LoginStatus})
}

func (d *decoder) renew(f *Frame) (err *Error) {
	if f.Token, err = d.required(fieldToken); err == nil && f.Token == "" {
		err = fieldToken.bad("must not be empty")
	}
	return err
}

func (d *decoder) recall(f *Frame) *Error {
	said, err := d.required(fieldMessageID)
	if err != nil {
		return err
	}
	var ok bool
	if f.MessageID, ok = ParseMessageID(said); !ok {
		return fieldMessageID.bad("a messageId is 32 lower-case hex digits")
	}
	return nil
}
