import Millrace
import Testing

@Suite struct `Linear learners` {
  @Test(arguments: [Task.regression, .binary]) func `obey the laws`(task: Task) throws {
    var settings = LearnerSettings()
    settings.learner = .sgd
    try checkLearner(settings, task: task)
  }

  @Test func `name the setting that is wrong, its value and what is allowed`() {
    func message(_ task: Task = .binary, _ change: (inout LearnerSettings) -> Void) -> String? {
      var settings = LearnerSettings()
      settings.learner = .sgd
      change(&settings)
      do throws(MillraceError) {
        _ = try settings.makeLearner(task: task, columnCount: 3)
        return nil
      } catch {
        return error.message
      }
    }
    #expect(message { $0.learningRate = 0.1 } == nil)
    #expect(
      message { $0.learningRate = -1 }
        == "learningRate is \"-1.0\"; expected a positive number")
    #expect(message { $0.l1 = .nan } == "l1 is \"nan\"; expected 0 or a positive number")
    #expect(message { $0.batchSize = 0 } == "batchSize is \"0\"; expected 1 to 1000000")
    #expect(
      message { $0.schedule = .optimal }
        == "l2 is \"0\"; expected a positive number, which the schedule optimal needs")
    #expect(
      message(.regression) { $0.loss = .logistic }
        == "loss is \"logistic\"; expected squared, huber, quantile, poisson for the task regression"
    )
  }
}
