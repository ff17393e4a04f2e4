package runtime

func (h *Host) openIO() {}
