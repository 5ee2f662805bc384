/// A block of memory for `count` elements that never grows or moves; each index is checked.
///
/// What an `Array` in a struct would be, without its reference count and copy on write.
@safe struct FixedArray<Element: BitwiseCopyable>: ~Copyable {
    private let elements: UnsafeMutablePointer<Element>
    let count: Int

    init(repeating element: Element, count: Int) {
        self.count = count
        unsafe elements = .allocate(capacity: count)
        unsafe elements.initialize(repeating: element, count: count)
    }

    deinit { unsafe elements.deallocate() }

    subscript(_ index: Int) -> Element {
        @inline(__always) unsafeAddress {
            precondition(index >= 0 && index < count)
            return unsafe UnsafePointer(elements + index)
        }
        @inline(__always) nonmutating unsafeMutableAddress {
            precondition(index >= 0 && index < count)
            return unsafe elements + index
        }
    }

    /// Where an element lies, for system calls.
    func address(_ index: Int) -> UnsafeMutablePointer<Element> {
        precondition(index >= 0 && index < count)
        return unsafe elements + index
    }
}
