package protocol

import (
	"cmp"
	"slices"
)

func (d *decoder) sync(f *Frame) *Error {
	if err := d.marks(f); err != nil {
		return err
	}
	return d.pending(f)
}

func (d *decoder) marks(f *Frame) *Error {
	const name = "conversations"
	v := d.fields[fieldConversations]
	if v.kind <= kindNull {
		return nil
	}
	if v.kind != kindObject {
		return fieldConversations.bad("must be an object")
	}
	s := scanner{input: v.raw, pos: 1}
	for first := true; ; first = false {
		key, more, err := s.member(first)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		seq, err := s.value(1)
		if err != nil {
			return err
		}
		id, bad := ParseConversationID(key.text())
		if bad != nil {
			return fieldConversations.bad(bad.Error()) // the key is not repeated: it can be anything, at any length
		}
		n, ok := seq.integer()
		if !ok {
			return FieldError(BadField, name+"."+id.String(), "must be a whole number from 0 to 2^53")
		}
		if len(f.Marks) == MaxMarks {
			return fieldConversations.bad("more than 1000 entries")
		}
		f.Marks = append(f.Marks, Mark{id, n})
	}
	return sortMarks(f.Marks)
}

// sortMarks brings equal conversations side by side, which finds them without a map or a comparison of each with each.
func sortMarks(marks []Mark) *Error {
	slices.SortFunc(marks, func(a, b Mark) int { return cmp.Compare(a.Conversation, b.Conversation) })
	for i := 1; i < len(marks); i++ {
		if id := marks[i].Conversation; id == marks[i-1].Conversation {
			return FieldError(BadFrame, "conversations."+id.String(), "given twice")
		}
	}
	return nil
}

func (d *decoder) pending(f *Frame) *Error {
	v := d.fields[fieldPending]
	if v.kind <= kindNull {
		return nil
	}
	if v.kind != kindArray {
		return fieldPending.bad("must be an array")
	}
	return v.texts(fieldPending, func(text string) *Error {
		id, ok := ParseMessageID(text)
		if !ok {
			return fieldPending.bad("must hold messageIds of 32 lower-case hex digits")
		}
		if len(f.Pending) == MaxPending {
			return fieldPending.bad("more than 1000 entries")
		}
		f.Pending = append(f.Pending, id)
		return nil
	})
}

// texts gives take each string of an array, which stands in the field at.
func (v value) texts(at field, take func(text string) *Error) *Error {
	s := scanner{input: v.raw, pos: 1}
	for first := true; ; first = false {
		more, err := s.next(first, ']')
		if err != nil || !more {
			return err
		}
		entry, err := s.value(1)
		if err != nil {
			return err
		}
		if entry.kind != kindText {
			return at.bad("must hold strings")
		}
		if err := take(entry.text()); err != nil {
			return err
		}
	}
}
