import CAio

extension EngineFeatures {
    mutating func probeAio() {
        var context: aio_context_t = 0
        let code = unsafe cio_aio_setup(1, &context)
        aio = code == 0
        if code == 0 {
            _ = cio_aio_destroy(context)
        } else {
            missing.append(Missing(name: "libaio", cost: errorText(-code)
                + "; there is no second engine should io_uring be switched off"))
        }
    }
}
