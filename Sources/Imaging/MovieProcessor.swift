/// Video, sound and animations.
struct MovieProcessor: Sendable {
    let programs: MoviePrograms
    let images: any ImageWork

    func process(_ request: ProcessingRequest, _ format: MediaFormat) throws(ProcessingFault) -> ProcessedMedia {
        throw ProcessingFault(.unavailable, "video and sound are not processed yet")
    }

    func animation(_ request: ProcessingRequest, _ size: PixelSize) throws(ProcessingFault) -> ProcessedMedia {
        throw ProcessingFault(.unavailable, "animations are not processed yet")
    }

    func smallerAnimation(
        _ request: ProcessingRequest,
        _ size: PixelSize,
        _ fit: ProcessingRules.Fit
    ) throws(ProcessingFault) -> ProcessedMedia {
        throw ProcessingFault(.unavailable, "animations are not processed yet")
    }

    func check(_ request: ProcessingRequest) throws(ProcessingFault) {
        throw ProcessingFault(.unavailable, "video and sound are not checked yet")
    }
}
