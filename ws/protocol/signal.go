package protocol

// signal reads for whom a signal is, and what it says.
func (d *decoder) signal(f *Frame) (err *Error) {
	if f.Group, err = d.optional(fieldGroup); err != nil {
		return err
	}
	switch {
	case f.Group == "" && d.absent(fieldTo):
		return fieldTo.missing()
	case f.Group == "":
		if f.To, err = d.required(fieldTo); err != nil {
			return err
		}
		if !ValidOpenID(f.To) {
			return fieldTo.bad("must be 1 to 128 bytes without comma and control characters")
		}
	case !d.absent(fieldTo):
		return fieldGroup.bad("give either toMessageId or groupId")
	}
	if f.Signal, err = d.required(fieldSignal); err != nil {
		return err
	}
	if f.Signal == "" || len(f.Signal) > MaxSignal {
		return fieldSignal.bad("must be 1 to 1024 bytes")
	}
	return nil
}

// AppendSignal appends frame 27 for whom it is for.
func AppendSignal(dst []byte, s Signal) []byte {
	dst = appendUser(dst, `{"type":27,"params":{"fromUser":`, s.From)
	dst = appendText(dst, `,"signal":`, s.Signal)
	dst = appendInt(dst, `,"at":`, s.At)
	return appendReplyEnd(dst, "")
}
