#!/bin/bash
#SBATCH --job-name=tfgen
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
#SBATCH --gpus-per-task=1
#SBATCH --cpus-per-task=8
#SBATCH --requeue

# Eight workers with a GPU each, named by Slurm's own variables. The run goes on when the job is queued again.
srun --kill-on-bad-exit=1 \
  tfgen train iwgan_mnist --strategy multiworker --resume --out "${RUNS:-$HOME/runs}/iwgan_mnist"
